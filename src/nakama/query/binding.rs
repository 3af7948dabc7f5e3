//! From a query to a request message, by field name (protocol-nakama §0.2): the serde attributes of
//! the messages say which names and aliases there are.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};

use super::{boolean, pairs};
use crate::nakama::errors::Failure;

/// The message in a query without its `?`; fields named in `except` are bound to the body and mean
/// nothing here.
///
/// # Errors
///
/// 3/400 for a scalar given twice, a value of the wrong type, or text that is not UTF-8.
pub fn message<'q, T: Deserialize<'q>>(query: &'q str, except: &[&str]) -> Result<T, Failure> {
    let mut fields: BTreeMap<Text<'q>, Values<'q>> = BTreeMap::new();
    for (name, value) in pairs(query) {
        match keyed(&name) {
            Some((name, key)) => fields.entry(name).or_default().keyed.push((key, value)),
            None => fields.entry(name).or_default().values.push(value),
        }
    }
    fields.retain(|name, _| !except.iter().any(|except| **name == *except.as_bytes()));
    let fields = Fields { left: fields.into_iter(), value: None };
    T::deserialize(serde::de::value::MapAccessDeserializer::new(fields))
        .map_err(|Mistake(what)| Failure::invalid(what))
}

/// Bytes of a name or a value, decoded.
type Text<'q> = Cow<'q, [u8]>;

/// `map[key]` is an entry of `map`.
fn keyed<'q>(name: &Text<'q>) -> Option<(Text<'q>, Text<'q>)> {
    let inner = name.strip_suffix(b"]")?;
    let at = inner.iter().position(|byte| *byte == b'[').filter(|at| *at > 0)?;
    let (map, key) = (inner.get(..at)?, inner.get(at + 1..)?);
    Some((Cow::Owned(map.to_vec()), Cow::Owned(key.to_vec())))
}

/// What is wrong with a query. Holds no value of it.
#[derive(Debug)]
struct Mistake(String);

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Mistake {}

impl serde::de::Error for Mistake {
    fn custom<T: fmt::Display>(what: T) -> Self {
        Self(what.to_string())
    }
}

/// The fields as a map.
struct Fields<'q> {
    left: std::collections::btree_map::IntoIter<Text<'q>, Values<'q>>,
    value: Option<(Text<'q>, Values<'q>)>,
}

impl<'q> MapAccess<'q> for Fields<'q> {
    type Error = Mistake;

    fn next_key_seed<K: DeserializeSeed<'q>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Mistake> {
        let Some((name, values)) = self.left.next() else { return Ok(None) };
        let name_for_seed = String::from_utf8_lossy(&name).into_owned();
        self.value = Some((name, values));
        seed.deserialize(name_for_seed.into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'q>>(&mut self, seed: V) -> Result<V::Value, Mistake> {
        let (name, values) = self.value.take().unwrap_or_default();
        seed.deserialize(values).map_err(|Mistake(what)| {
            Mistake(format!("parameter \"{}\": {what}", String::from_utf8_lossy(&name)))
        })
    }
}

/// What stands under one name.
#[derive(Default)]
struct Values<'q> {
    values: Vec<Text<'q>>,
    keyed: Vec<(Text<'q>, Text<'q>)>,
}

impl<'q> Values<'q> {
    /// The one value of a scalar.
    fn one(mut self) -> Result<Text<'q>, Mistake> {
        match (self.values.pop(), self.values.is_empty()) {
            (Some(value), true) => Ok(value),
            (None, _) => Ok(Cow::Borrowed(b"")),
            (Some(_), false) => Err(Mistake::custom("too many values")),
        }
    }

    fn is_absent(&self) -> bool {
        self.keyed.is_empty()
            && self.values.iter().all(|value| value.is_empty())
            && self.values.len() <= 1
    }
}

fn text(value: Text<'_>) -> Result<String, Mistake> {
    String::from_utf8(value.into_owned()).map_err(|_| Mistake::custom("not UTF-8"))
}

impl<'de> Deserializer<'de> for Values<'de> {
    type Error = Mistake;

    /// What asks for nothing in particular is a list.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        let texts = self.values.into_iter().map(text).collect::<Result<Vec<_>, _>>()?;
        visitor.visit_seq(SeqDeserializer::new(texts.into_iter()))
    }

    /// An empty value is none.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        if self.is_absent() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_bool(boolean(&self.one()?).ok_or_else(|| Mistake::custom("not a boolean"))?)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        self.deserialize_string(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_string(text(self.one()?)?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.deserialize_string(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        let pairs =
            self.keyed.into_iter().map(|(key, value)| Ok((text(key)?, Entry(text(value)?))));
        let pairs = pairs.collect::<Result<Vec<_>, Mistake>>()?;
        visitor.visit_map(MapDeserializer::new(pairs.into_iter()))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct
        seq tuple tuple_struct struct enum identifier
    }
}

/// A text in a map, which is always there.
struct Entry(String);

impl IntoDeserializer<'_, Mistake> for Entry {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Entry {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_string(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_some(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nakama::wire::api::{
        AccountDevice, AddFriendsRequest, AuthenticateDeviceRequest, AuthenticateFacebookRequest,
        ListFriendsRequest, ListNotificationsRequest,
    };

    fn ok(query: &str) -> (bool, String) {
        let parsed = message::<AuthenticateDeviceRequest>(query, &["account"]).unwrap();
        (parsed.create.unwrap_or(true), parsed.username)
    }

    #[test]
    fn odd_queries_are_read() {
        for (query, create, username) in [
            ("", true, ""),
            ("&", true, ""),
            ("create=true&username=alice&", true, "alice"),
            ("create=false", false, ""),
            ("create=F", false, ""),
            ("create=True", true, ""),
            ("create=0&unknown=1&unknown=2&account=x&account=y", false, ""),
            ("create=&username=", true, ""),
            ("create", true, ""),
            ("username=a+b%20c%2Bd", true, "a b c+d"),
            ("username=100%", true, "100%"),
            ("username=%zz%4", true, "%zz%4"),
            ("username=%C3%A9=é", true, "é=é"),
            ("%63reate=false", false, ""),
            ("unknown=%ff&%ff=1", true, ""),
            ("username[x]=y", true, ""),
        ] {
            assert_eq!(ok(query), (create, username.into()), "{query}");
        }
    }

    #[test]
    fn queries_without_one_meaning_are_refused() {
        for query in [
            "create=yes",
            "create=tRUE",
            "create=2",
            "create=true&create=true",
            "create=&create=true",
            "username=a&username=b",
            "username=%ff",
            "sync=true&import=true",
        ] {
            let failure =
                message::<AuthenticateFacebookRequest>(query, &["account"]).err().unwrap();
            assert_eq!((failure.code, failure.status), (3, 400), "{query}");
            assert!(!failure.message.contains("yes"), "values are not repeated");
        }
    }

    #[test]
    fn lists_repeat_their_name_and_keep_empty_values() {
        let read = |query| message::<AddFriendsRequest>(query, &[]).unwrap();
        assert_eq!(read("ids=a&usernames=u&ids=b").ids, ["a", "b"]);
        assert_eq!(read("ids=a%26b+c").ids, ["a&b c"]);
        assert_eq!(read("usernames=").usernames, [""]);
        assert_eq!(read("ids[]=a").ids, [""; 0]);
        assert!(message::<AddFriendsRequest>("ids=%ff", &[]).is_err());
    }

    #[test]
    fn numbers_names_in_either_case_and_aliases() {
        let read = |query| message::<ListFriendsRequest>(query, &[]).map(|read| read.limit);
        assert_eq!(read("limit=7"), Ok(Some(7)));
        assert_eq!(read("limit=0"), Ok(Some(0)));
        assert_eq!(read("limit="), Ok(None));
        for query in ["limit=x", "limit=1.5", "limit=99999999999", "limit=1&limit=1"] {
            assert!(read(query).is_err(), "{query}");
        }
        for query in ["cacheable_cursor=c", "cacheableCursor=c", "cursor=c"] {
            let read = message::<ListNotificationsRequest>(query, &[]).unwrap();
            assert_eq!(read.cacheable_cursor, "c", "{query}");
        }
        let read = |query| message::<AuthenticateFacebookRequest>(query, &[]).unwrap().sync;
        assert_eq!((read("import=1"), read("sync=0"), read("")), (Some(true), Some(false), None));
    }

    #[test]
    fn maps_have_their_key_in_brackets() {
        let read = |query| message::<AccountDevice>(query, &[]).map(|read| read.vars);
        let vars = read("vars[k]=v&vars[l]=&vars%5Bm%5D=n").unwrap();
        let expected = [("k", "v"), ("l", ""), ("m", "n")];
        assert!(vars.iter().map(|(k, v)| (k.as_str(), v.as_str())).eq(expected));
        assert!(read("vars[k]=v&vars[k]=w").is_err());
    }
}
