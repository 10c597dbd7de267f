//! Watches the loader's own host while a load goes: loader.csv.
