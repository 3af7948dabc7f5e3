//! What is allowed in a user name, a device id, a custom id, an e-mail address and a password.
//! Each rule with its source; lengths are in UTF-8 bytes.
