//! Binary: any bytes as one value.
