//! Protobuf's JSON as SDKs write and read it (protocol-nakama §0.2, §0.3), field by field: what the
//! serde attributes of the generated messages name.

use std::collections::btree_map::Entry;
use std::fmt;

use prost_types::Timestamp;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serializer};

use crate::domain::token::nakama::Vars;
use crate::nakama::reply;

/// `null` is absent.
pub fn or_default<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Deserialize<'de> + Default,
    D: Deserializer<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// A wrapper: there or not; `null` is absent.
pub fn optional<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer)
}

/// A message, which is an object; `null` is absent.
pub fn message<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Option::<Object<T>>::deserialize(deserializer)?.map(|Object(message)| message))
}

/// A list of messages; `null` is an empty one.
pub fn messages<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let list = Option::<Vec<Object<T>>>::deserialize(deserializer)?.unwrap_or_default();
    Ok(list.into_iter().map(|Object(message)| message).collect())
}

/// A list of texts; `null` is an empty one.
pub fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct Texts;
    impl<'de> Visitor<'de> for Texts {
        type Value = Vec<String>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of strings")
        }
        fn visit_unit<E>(self) -> Result<Vec<String>, E> {
            Ok(Vec::new())
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<String>, A::Error> {
            let mut texts = Vec::new();
            while let Some(text) = seq.next_element()? {
                texts.push(text);
            }
            Ok(texts)
        }
    }
    // Not as an option, which a query takes an empty value for: a list may hold an empty text.
    deserializer.deserialize_any(Texts)
}

/// A number of 32 bits, bare or as text; `null` is zero.
pub fn int32<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    Ok(some_int32(deserializer)?.unwrap_or_default())
}

/// A wrapped number of 32 bits, bare or as text; `null` is absent.
pub fn some_int32<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i32>, D::Error> {
    match Option::<Number>::deserialize(deserializer)? {
        None => Ok(None),
        Some(Number(number)) => {
            i32::try_from(number).map(Some).map_err(|_| D::Error::custom("number out of range"))
        }
    }
}

/// A number of 64 bits, bare or as text; `null` is zero.
pub fn int64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    Ok(Option::<Number>::deserialize(deserializer)?.map_or(0, |Number(number)| number))
}

/// A whole number, bare or as text.
struct Number(i64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Digits;
        impl<'de> Visitor<'de> for Digits {
            type Value = Number;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number")
            }
            fn visit_i64<E>(self, number: i64) -> Result<Number, E> {
                Ok(Number(number))
            }
            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Number, E> {
                i64::try_from(number).map(Number).map_err(|_| E::custom("number out of range"))
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Number, E> {
                text.parse().map(Number).map_err(|_| E::custom("not a whole number"))
            }
            fn visit_newtype_struct<D: Deserializer<'de>>(
                self,
                inner: D,
            ) -> Result<Number, D::Error> {
                inner.deserialize_any(self)
            }
        }
        // JSON says by itself what there is; a query is told by this that it is a scalar.
        deserializer.deserialize_newtype_struct("Number", Digits)
    }
}

/// Texts by name. `null` is absent, for the whole and for a value; a name given twice is an error.
pub fn vars<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vars, D::Error> {
    struct Pairs;
    impl<'de> Visitor<'de> for Pairs {
        type Value = Vars;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of strings")
        }
        fn visit_none<E>(self) -> Result<Vars, E> {
            Ok(Vars::new())
        }
        fn visit_unit<E>(self) -> Result<Vars, E> {
            Ok(Vars::new())
        }
        fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Vars, D::Error> {
            inner.deserialize_map(self)
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vars, A::Error> {
            let mut vars = Vars::new();
            while let Some((name, value)) = map.next_entry::<String, Option<String>>()? {
                match vars.entry(name) {
                    Entry::Occupied(_) => return Err(A::Error::custom("repeated name")),
                    Entry::Vacant(entry) => {
                        if let Some(value) = value {
                            entry.insert(value);
                        }
                    }
                }
            }
            Ok(vars)
        }
    }
    deserializer.deserialize_option(Pairs)
}

/// A message that is written as a JSON object only; serde would take an array too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = T;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_map(Fields(std::marker::PhantomData)).map(Object)
    }
}

/// Whether a number may be left out.
pub fn is_zero<T: Default + PartialEq>(number: &T) -> bool {
    *number == T::default()
}

/// 64 bits are written as text: JavaScript's numbers hold 53.
pub fn int64_text<S: Serializer>(number: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

/// RFC 3339, UTC, whole seconds: Java's parser takes no fractions. Times before 1970 read as 1970.
pub fn timestamp<S: Serializer>(
    time: &Option<Timestamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => {
            serializer.serialize_str(&reply::timestamp(u64::try_from(time.seconds).unwrap_or(0)))
        }
        None => serializer.serialize_none(),
    }
}
