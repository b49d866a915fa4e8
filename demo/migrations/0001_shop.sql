-- The shop.
CREATE TABLE categories (
  id INTEGER PRIMARY KEY,
  parent_id INTEGER REFERENCES categories (id),
  name TEXT NOT NULL UNIQUE
);

CREATE TABLE products (
  id INTEGER PRIMARY KEY,
  sku TEXT NOT NULL UNIQUE,
  category_id INTEGER NOT NULL REFERENCES categories (id),
  name TEXT NOT NULL,
  price_cents INTEGER NOT NULL CHECK (price_cents > 0),
  weight_kg REAL,
  thumbnail BLOB,
  discontinued_at TEXT
);
CREATE INDEX products_by_category ON products (category_id, name);

CREATE TABLE stock (
  product_id INTEGER PRIMARY KEY REFERENCES products (id) ON DELETE CASCADE,
  quantity INTEGER NOT NULL DEFAULT 0,
  updated_at TEXT
);

CREATE TABLE customers (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  email TEXT NOT NULL UNIQUE COLLATE NOCASE,
  country TEXT NOT NULL DEFAULT 'PT',
  score REAL,
  notes TEXT
);
CREATE INDEX customers_with_notes ON customers (country) WHERE notes IS NOT NULL;

CREATE TABLE addresses (
  customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  street TEXT NOT NULL,
  city TEXT NOT NULL,
  PRIMARY KEY (customer_id, kind)
) WITHOUT ROWID;

CREATE TABLE orders (
  id INTEGER PRIMARY KEY,
  customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
  status TEXT NOT NULL CHECK (status IN ('new', 'paid', 'sent', 'returned')),
  total REAL NOT NULL,
  vat REAL GENERATED ALWAYS AS (round(total * 0.2, 2)) VIRTUAL,
  placed_at TEXT NOT NULL
);
CREATE INDEX orders_by_customer ON orders (customer_id);
CREATE INDEX orders_by_day ON orders (substr(placed_at, 1, 10) DESC);

CREATE TABLE order_items (
  order_id INTEGER NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
  product_id INTEGER NOT NULL REFERENCES products (id),
  quantity INTEGER NOT NULL,
  price_cents INTEGER NOT NULL,
  line_cents INTEGER GENERATED ALWAYS AS (quantity * price_cents) STORED,
  PRIMARY KEY (order_id, product_id)
);

-- Ids are the provider's: 64 bits.
CREATE TABLE payments (
  id INTEGER PRIMARY KEY,
  order_id INTEGER NOT NULL REFERENCES orders (id),
  amount REAL NOT NULL,
  receipt BLOB
);

-- Ids hold a time, a machine and a sequence: 64 bits.
CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  payload TEXT CHECK (payload IS NULL OR json_valid(payload)),
  order_id INTEGER
);

CREATE TABLE coupons (
  code TEXT PRIMARY KEY,
  percent INTEGER NOT NULL,
  used INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE price_changes (
  product_id INTEGER NOT NULL,
  old_cents INTEGER,
  new_cents INTEGER,
  at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE "odd names" (
  "a column" TEXT,
  "[bold]markup[/]" TEXT,
  "select" INTEGER,
  "naïve 日本" BLOB
);

CREATE VIEW big_orders AS
SELECT orders.id, customers.name AS customer, orders.total, orders.vat, orders.placed_at
FROM orders JOIN customers ON customers.id = orders.customer_id
WHERE orders.total >= 500;

CREATE VIEW low_stock AS
SELECT products.sku, products.name, stock.quantity
FROM stock JOIN products ON products.id = stock.product_id
WHERE stock.quantity < 5;

CREATE TRIGGER products_price_changed AFTER UPDATE OF price_cents ON products
BEGIN
  INSERT INTO price_changes (product_id, old_cents, new_cents) VALUES (old.id, old.price_cents, new.price_cents);
END;

CREATE TRIGGER items_take_stock AFTER INSERT ON order_items
BEGIN
  UPDATE stock SET quantity = quantity - new.quantity, updated_at = CURRENT_TIMESTAMP WHERE product_id = new.product_id;
END;

CREATE VIRTUAL TABLE docs USING fts5 (title, body, tokenize = 'porter unicode61');
