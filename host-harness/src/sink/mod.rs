//! Where members go.
