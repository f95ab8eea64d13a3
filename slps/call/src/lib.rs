//! A plain back-to-back call between two users.
