"""The screens. This folder will hold what the issue "The dashboard" brings: pages in
Streamlit that draw readings and ask for actions. It refuses to know how a
migration is done: of ``core`` it may import only ``control``, ``delivery``,
``words`` and ``errors``, and it decides nothing.
"""
