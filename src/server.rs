//! Puts the parts together; start and stop order. The one file that knows everybody.
