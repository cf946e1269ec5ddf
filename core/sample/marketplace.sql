-- The schema of a marketplace as SQLAlchemy writes it for SQLite, and in places as
-- people write it by hand. Everything here can be carried to PostgreSQL as it is.

CREATE TABLE users (
    id INTEGER NOT NULL,
    public_id UUID NOT NULL,
    email VARCHAR(254) COLLATE "NOCASE" NOT NULL,
    password_hash VARCHAR(128) NOT NULL,
    full_name VARCHAR(120) NOT NULL,
    bio TEXT,
    birth_date DATE,
    is_active BOOLEAN DEFAULT 1 NOT NULL,
    is_seller BOOLEAN DEFAULT 0 NOT NULL,
    rating REAL,
    preferences JSON,
    created_at DATETIME NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uq_users_email UNIQUE (email),
    UNIQUE (public_id)
);

CREATE TABLE addresses (
    id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    label VARCHAR(40) DEFAULT 'home' NOT NULL,
    street VARCHAR(120) NOT NULL,
    city VARCHAR(80) NOT NULL,
    postcode VARCHAR(12),
    country VARCHAR(2) DEFAULT 'ES' NOT NULL,
    latitude FLOAT,
    longitude FLOAT,
    PRIMARY KEY (id),
    FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE TABLE sessions (
    token TEXT PRIMARY KEY,
    user_id INTEGER REFERENCES users (id) ON DELETE CASCADE,
    created_at DATETIME NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    payload JSON NOT NULL
);

CREATE TABLE categories (
    id INTEGER NOT NULL,
    parent_id INTEGER,
    slug VARCHAR(60) NOT NULL,
    name VARCHAR(80) NOT NULL,
    position INTEGER DEFAULT 0 NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uq_categories_place UNIQUE (parent_id, position),
    FOREIGN KEY(parent_id) REFERENCES categories (id) ON DELETE SET NULL,
    UNIQUE (slug)
);

CREATE TABLE products (
    id INTEGER NOT NULL,
    seller_id INTEGER NOT NULL,
    category_id INTEGER,
    sku VARCHAR(16) NOT NULL,
    name VARCHAR(120) NOT NULL,
    description TEXT DEFAULT '' NOT NULL,
    price DECIMAL(10, 2) NOT NULL,
    stock INTEGER DEFAULT 0 NOT NULL,
    views BIGINT DEFAULT 0 NOT NULL,
    weight_kg REAL,
    attributes JSON,
    is_published BOOLEAN DEFAULT 0 NOT NULL,
    created_at DATETIME NOT NULL,
    updated_at DATETIME,
    PRIMARY KEY (id),
    FOREIGN KEY(seller_id) REFERENCES users (id),
    FOREIGN KEY(category_id) REFERENCES categories (id) ON DELETE SET NULL,
    UNIQUE (sku)
);

CREATE TABLE product_images (
    id INTEGER NOT NULL,
    product_id INTEGER NOT NULL,
    mime VARCHAR(40) DEFAULT 'image/webp' NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(product_id) REFERENCES products (id) ON DELETE CASCADE
);

CREATE TABLE product_tags (
    product_id INTEGER NOT NULL REFERENCES products ON DELETE CASCADE,
    tag VARCHAR(30) NOT NULL,
    PRIMARY KEY (product_id, tag)
) WITHOUT ROWID;

CREATE TABLE favourites (
    user_id INTEGER NOT NULL,
    product_id INTEGER NOT NULL,
    created_at DATETIME NOT NULL,
    PRIMARY KEY (user_id, product_id),
    FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE,
    FOREIGN KEY(product_id) REFERENCES products (id) ON DELETE CASCADE
);

CREATE TABLE reviews (
    id INTEGER NOT NULL,
    product_id INTEGER NOT NULL,
    user_id INTEGER,
    stars SMALLINT NOT NULL,
    title VARCHAR(100),
    body TEXT,
    created_at DATETIME NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (product_id, user_id),
    FOREIGN KEY(product_id) REFERENCES products (id) ON DELETE CASCADE,
    FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE SET NULL
);

CREATE TABLE questions (
    id INTEGER NOT NULL,
    product_id INTEGER NOT NULL,
    user_id INTEGER,
    body TEXT NOT NULL,
    answer TEXT,
    asked_at DATETIME NOT NULL,
    answered_at DATETIME,
    PRIMARY KEY (id),
    FOREIGN KEY(product_id) REFERENCES products (id) ON DELETE CASCADE,
    FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE SET NULL
);

CREATE TABLE carts (
    id INTEGER NOT NULL,
    token UUID NOT NULL,
    user_id INTEGER,
    updated_at DATETIME NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE SET NULL,
    UNIQUE (token)
);

CREATE TABLE cart_items (
    id INTEGER NOT NULL,
    cart_id INTEGER NOT NULL,
    product_id INTEGER NOT NULL,
    quantity INTEGER DEFAULT 1 NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uq_cart_items_product UNIQUE (cart_id, product_id),
    FOREIGN KEY(cart_id) REFERENCES carts (id) ON DELETE CASCADE,
    FOREIGN KEY(product_id) REFERENCES products (id) ON DELETE CASCADE
);

CREATE TABLE orders (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    reference UUID NOT NULL UNIQUE,
    user_id INTEGER NOT NULL REFERENCES users (id),
    address_id INTEGER REFERENCES addresses (id) ON DELETE SET NULL,
    status VARCHAR(12) NOT NULL DEFAULT 'pending',
    currency VARCHAR(3) NOT NULL DEFAULT 'EUR',
    total DECIMAL(10, 2) NOT NULL DEFAULT 0,
    placed_at TIMESTAMP NOT NULL,
    notes TEXT
);

CREATE TABLE order_items (
    id INTEGER NOT NULL,
    order_id INTEGER NOT NULL,
    product_id INTEGER NOT NULL,
    quantity INTEGER DEFAULT 1 NOT NULL,
    unit_price DECIMAL(10, 2) NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (order_id, product_id),
    FOREIGN KEY(order_id) REFERENCES orders (id) ON DELETE CASCADE,
    FOREIGN KEY(product_id) REFERENCES products (id)
);

CREATE TABLE payments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    order_id INTEGER NOT NULL UNIQUE REFERENCES orders (id) ON DELETE CASCADE,
    provider VARCHAR(20) NOT NULL,
    amount DECIMAL(10, 2) NOT NULL,
    fee NUMERIC(10, 4) NOT NULL DEFAULT 0,
    succeeded BOOLEAN NOT NULL,
    captured_at TIMESTAMP,
    response JSON
);
