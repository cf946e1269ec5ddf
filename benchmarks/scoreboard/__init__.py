"""The public scoreboard: other people's databases through Mudanza and pgloader, judged by
somebody who knows neither."""
