//! The Rust of Nakama's messages is what `proto/` says, so that nobody needs a protobuf compiler to
//! build. `ANTEROOM_GENERATE=1 cargo test --test tidy generated` writes it anew.
//!
//! The same types are read from and written as JSON: each field gets serde attributes from its
//! descriptor, by the rules of protocol-nakama §0.2, §0.3 and §13.5.

use std::collections::BTreeSet;
use std::fs;

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, FieldDescriptorProto, FileDescriptorSet, MessageOptions, MethodDescriptorProto,
};
use tonic_prost_build::Config;

use super::root;

/// Where the functions are that the attributes name.
const JSON: &str = "crate::nakama::wire::json";
/// Realtime messages that clients send.
const FROM_CLIENTS: [&str; 5] = ["StatusFollow", "StatusUnfollow", "StatusUpdate", "Ping", "Pong"];
/// Fields that are written even when zero: an SDK fails without them (§13.5).
const ALWAYS: [(&str, &str); 4] = [
    ("Notification", "sender_id"),
    ("Notification", "persistent"),
    ("Status", "presences"),
    ("Error", "code"),
];
/// Names that some SDKs use for a field (§13.2).
const ALIASES: [(&str, &str, &str); 4] = [
    ("AuthenticateFacebookRequest", "sync", "import"),
    ("LinkFacebookRequest", "sync", "import"),
    ("LinkSteamRequest", "sync", "import"),
    ("ListNotificationsRequest", "cacheable_cursor", "cursor"),
];

#[test]
fn generated_code_is_in_step() {
    let fresh = tempfile::tempdir().unwrap();
    generate(fresh.path());
    for (generated, kept) in [
        ("nakama.api.rs", "src/nakama/wire/api.rs"),
        ("nakama.realtime.rs", "src/nakama/wire/realtime.rs"),
    ] {
        let text = fs::read_to_string(fresh.path().join(generated)).unwrap();
        let kept = root().join(kept);
        if std::env::var_os("ANTEROOM_GENERATE").is_some() {
            fs::write(&kept, &text).unwrap();
        }
        assert!(
            fs::read_to_string(&kept).unwrap_or_default() == text,
            "{} is not what proto/ says: run `ANTEROOM_GENERATE=1 cargo test --test tidy generated`",
            kept.display()
        );
    }
}

fn generate(out: &std::path::Path) {
    let proto = root().join("proto");
    let files = protox::compile(["nakama/api.proto", "nakama/realtime.proto"], [proto])
        .unwrap_or_else(|error| panic!("{error:?}"));
    let mut config = Config::new();
    config.btree_map(["."]).skip_debug(["."]);
    attributes(&files, &mut config);
    tonic_prost_build::configure()
        .build_client(false)
        .build_transport(false)
        .out_dir(out)
        .compile_fds_with_config(files, config)
        .unwrap();
}

/// Gives every message of ours its serde attributes.
fn attributes(files: &FileDescriptorSet, config: &mut Config) {
    let mut messages = Vec::new();
    for file in files.file.iter().filter(|file| file.package().starts_with("nakama.")) {
        for message in &file.message_type {
            named(&format!(".{}", file.package()), message, &mut messages);
        }
    }
    let methods = || files.file.iter().flat_map(|file| &file.service).flat_map(|s| &s.method);
    let mut read = reachable(&messages, methods().map(MethodDescriptorProto::input_type));
    let mut written = reachable(&messages, methods().map(MethodDescriptorProto::output_type));
    for (path, _) in &messages {
        if let Some(name) = path.strip_prefix(".nakama.realtime.") {
            written.extend(reachable(&messages, [path.as_str()].into_iter()));
            if FROM_CLIENTS.contains(&name) {
                read.insert(path.clone());
            }
        }
    }
    for (path, message) in &messages {
        if let [choice] = message.oneof_decl.as_slice() {
            // The choice lies flat in its message, which is written by hand for that reason.
            let serde = "#[derive(serde::Serialize)]\n#[serde(rename_all = \"snake_case\")]";
            config.type_attribute(format!("{path}.{}", choice.name()), serde);
            continue;
        }
        let (read, written) = (read.contains(path), written.contains(path));
        // What is inside a message inherits its attributes.
        let outer = path
            .rsplit_once('.')
            .is_none_or(|(outer, _)| !messages.iter().any(|(m, _)| m == outer));
        if read && outer {
            config.message_attribute(path, "#[derive(serde::Deserialize)]\n#[serde(default)]");
        }
        if written && outer {
            config.message_attribute(path, "#[derive(serde::Serialize)]");
        }
        for field in &message.field {
            let serde = field_attribute(message.name(), field, read, written);
            if !serde.is_empty() {
                config.field_attribute(format!("{path}.{}", field.name()), serde);
            }
        }
    }
}

/// Every message with its full path, nested ones too.
fn named<'f>(
    parent: &str,
    message: &'f DescriptorProto,
    found: &mut Vec<(String, &'f DescriptorProto)>,
) {
    let path = format!("{parent}.{}", message.name());
    let is_map = message.options.as_ref().is_some_and(MessageOptions::map_entry);
    if !is_map {
        for nested in &message.nested_type {
            named(&path, nested, found);
        }
        found.push((path, message));
    }
}

/// The messages that `roots` are made of.
fn reachable<'a>(
    messages: &[(String, &DescriptorProto)],
    roots: impl Iterator<Item = &'a str>,
) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut next: Vec<String> = roots.map(str::to_owned).collect();
    while let Some(path) = next.pop() {
        if let Some((_, message)) = messages.iter().find(|(known, _)| *known == path)
            && found.insert(path)
        {
            next.extend(message.field.iter().map(|field| field.type_name().to_owned()));
        }
    }
    found
}

fn field_attribute(
    message: &str,
    field: &FieldDescriptorProto,
    read: bool,
    written: bool,
) -> String {
    let name = field.name();
    let repeated = field.label() == Label::Repeated;
    let is_map = repeated && field.type_name().ends_with("Entry");
    let (reader, empty, writer) = match (field.r#type(), field.type_name()) {
        (Type::Message, _) if is_map => ("vars", "std::collections::BTreeMap::is_empty", None),
        (Type::Message, _) if repeated => ("messages", "Vec::is_empty", None),
        (_, _) if repeated => ("texts", "Vec::is_empty", None),
        (Type::Message, ".google.protobuf.Timestamp") => ("", "Option::is_none", Some("timestamp")),
        (Type::Message, ".google.protobuf.Int32Value") => ("some_int32", "Option::is_none", None),
        (Type::Message, wrapper) if wrapper.starts_with(".google.") => {
            ("optional", "Option::is_none", None)
        }
        (Type::Message, _) => ("message", "Option::is_none", None),
        (Type::Bool, _) => ("or_default", "std::ops::Not::not", None),
        (Type::Int32, _) => ("int32", "is_zero", None),
        (Type::Int64, _) => ("int64", "is_zero", Some("int64_text")),
        (Type::String, _) => ("or_default", "String::is_empty", None),
        (other, _) => panic!("{message}.{name}: no rule for {other:?}"),
    };
    let mut parts = Vec::new();
    if read {
        parts.push(format!("deserialize_with = \"{JSON}::{reader}\""));
        let aliases = ALIASES.iter().filter(|(of, field, _)| *of == message && *field == name);
        let camel = (field.json_name() != name).then_some(field.json_name());
        let aliases = camel.into_iter().chain(aliases.map(|(_, _, alias)| *alias));
        parts.extend(aliases.map(|alias| format!("alias = \"{alias}\"")));
    }
    if written {
        if let Some(writer) = writer {
            parts.push(format!("serialize_with = \"{JSON}::{writer}\""));
        }
        if !ALWAYS.contains(&(message, name)) {
            let empty =
                if empty.contains("::") { empty.to_owned() } else { format!("{JSON}::{empty}") };
            parts.push(format!("skip_serializing_if = \"{empty}\""));
        }
    }
    if parts.is_empty() { String::new() } else { format!("#[serde({})]", parts.join(", ")) }
}
