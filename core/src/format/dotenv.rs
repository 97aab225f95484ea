//! dotenv: `KEY=value` lines.
