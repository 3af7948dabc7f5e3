//! `src/nakama/openapi.json`, the description of the REST API in `OpenAPI` 3.1, is what `proto/` and
//! the table below say. `ANTEROOM_GENERATE=1 cargo test --test tidy openapi` writes it anew.
//!
//! Messages are described as SDKs read and write them in JSON (protocol-nakama §0.2, §0.3).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto};
use serde_json::{Map, Value, json};

use super::root;

/// Where a request's message is (§10.2).
#[derive(Clone, Copy, PartialEq)]
enum Bound {
    /// All of it in the body.
    Body,
    /// Its `account` in the body, the rest in the query.
    Account,
    /// All of it in the query.
    Query,
}

/// Who may ask (§1.1).
#[derive(Clone, Copy, PartialEq)]
enum Who {
    Anybody,
    Game,
    Player,
}

use Bound::{Account, Body, Query};
use Who::{Anybody, Game, Player};

/// Method, path, call, where its message is, who may ask, and what it is for.
type Route = (String, String, String, Bound, Who, String);

/// Every path but those there are for each kind of credential.
const ROUTES: [(&str, &str, &str, Bound, Who, &str); 16] = [
    ("get", "/healthcheck", "Healthcheck", Query, Anybody, "Whether the server answers"),
    ("post", "/v2/account/session/refresh", "SessionRefresh", Body, Game, "A new pair of tokens"),
    ("post", "/v2/session/logout", "SessionLogout", Body, Player, "End sessions"),
    ("get", "/v2/account", "GetAccount", Query, Player, "The caller's own account"),
    ("put", "/v2/account", "UpdateAccount", Body, Player, "Change the caller's account"),
    ("delete", "/v2/account", "DeleteAccount", Query, Player, "Delete the caller's account"),
    ("get", "/v2/user", "GetUsers", Query, Player, "Look people up"),
    ("get", "/v2/friend", "ListFriends", Query, Player, "Friends, invitations and blocks"),
    ("get", "/v2/friend/friends", "ListFriendsOfFriends", Query, Player, "Friends of friends"),
    ("post", "/v2/friend", "AddFriends", Query, Player, "Invite, or accept an invitation"),
    ("delete", "/v2/friend", "DeleteFriends", Query, Player, "End friendships and blocks"),
    ("post", "/v2/friend/block", "BlockFriends", Query, Player, "Block people"),
    ("post", "/v2/friend/facebook", "ImportFacebookFriends", Account, Player, IMPORT),
    ("post", "/v2/friend/steam", "ImportSteamFriends", Account, Player, IMPORT),
    ("get", "/v2/notification", "ListNotifications", Query, Player, "Stored notifications"),
    ("delete", "/v2/notification", "DeleteNotifications", Query, Player, "Delete notifications"),
];
const IMPORT: &str = "Make friends of those known elsewhere";

/// Kinds of credentials: in paths, in the names of calls, in words.
const KINDS: [(&str, &str, &str); 9] = [
    ("apple", "Apple", "Apple's identity token"),
    ("custom", "Custom", "an id of the game's own"),
    ("device", "Device", "a device id"),
    ("email", "Email", "an address and a password"),
    ("facebook", "Facebook", "Facebook's token"),
    ("facebookinstantgame", "FacebookInstantGame", "a Facebook Instant Game's player info"),
    ("gamecenter", "GameCenter", "Game Center's credentials"),
    ("google", "Google", "Google's token"),
    ("steam", "Steam", "Steam's session ticket"),
];

/// Groups of calls, as pages show them.
const TAGS: [&str; 8] =
    ["Authenticate", "Session", "Account", "Link", "Users", "Friends", "Notifications", "Health"];

/// Fields that every answer has.
const ALWAYS: [(&str, &[&str]); 4] = [
    ("Session", &["token", "refresh_token"]),
    ("Account", &["user", "wallet"]),
    ("User", &["id", "username", "metadata", "create_time", "update_time"]),
    ("Notification", &["sender_id", "persistent"]),
];

#[test]
fn openapi_is_in_step() {
    let text = serde_json::to_string_pretty(&document()).unwrap() + "\n";
    let kept = root().join("src/nakama/openapi.json");
    if std::env::var_os("ANTEROOM_GENERATE").is_some() {
        fs::write(&kept, &text).unwrap();
    }
    assert!(
        fs::read_to_string(&kept).unwrap_or_default() == text,
        "{} is not what proto/ says: run `ANTEROOM_GENERATE=1 cargo test --test tidy openapi`",
        kept.display()
    );
}

fn routes() -> Vec<Route> {
    let fixed = ROUTES.iter().map(|(method, path, call, bound, who, words)| {
        ((*method).into(), (*path).into(), (*call).into(), *bound, *who, (*words).into())
    });
    let kinds = KINDS.iter().flat_map(|(path, name, words)| {
        let link = if *path == "facebook" { Account } else { Body };
        [("authenticate", Account, Game), ("link", link, Player), ("unlink", Body, Player)].map(
            |(verb, bound, who)| {
                let title = verb[..1].to_uppercase() + &verb[1..];
                let what = match verb {
                    "authenticate" => "Sign in by",
                    "link" => "Link to the account",
                    _ => "Unlink from the account",
                };
                let at = format!("/v2/account/{verb}/{path}");
                ("post".into(), at, format!("{title}{name}"), bound, who, format!("{what} {words}"))
            },
        )
    });
    fixed.chain(kinds).collect()
}

fn document() -> Value {
    let files = protox::compile(["nakama/api.proto"], [root().join("proto")]).unwrap();
    let api = files.file.iter().find(|file| file.package() == "nakama.api").unwrap();
    let mut paths = BTreeMap::<String, Map<String, Value>>::new();
    for route in routes() {
        let operation = operation(api, &route);
        paths.entry(route.1).or_default().insert(route.0, operation);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Anteroom",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Nakama's client API as far as it is served. Field names may be in snake or camel case, nulls are absent, unknown fields are ignored; answers leave out fields that are zero or empty.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "tags": TAGS.map(|name| json!({ "name": name })),
        "paths": paths,
        "components": {
            "schemas": schemas(api),
            "responses": responses(),
            "securitySchemes": {
                "serverKey": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "The server key as user name, without a password.",
                },
                "session": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
            },
        },
    })
}

fn operation(api: &FileDescriptorProto, route: &Route) -> Value {
    let (_, path, call, bound, who, words) = route;
    let method = api.service[0].method.iter().find(|method| method.name() == call).unwrap();
    let input = api.message_type.iter().find(|it| method.input_type().ends_with(&dotted(it)));
    let fields = input.map_or(&[][..], |input| &input.field);
    let (in_query, in_body): (Vec<_>, Vec<_>) = fields.iter().partition(|field| match bound {
        Body => false,
        Query => true,
        Account => field.name() != "account",
    });
    let mut operation = json!({
        "operationId": call,
        "tags": [tag(path)],
        "summary": words,
        "responses": {
            "200": { "description": "Done", "content": content(&reference(method.output_type())) },
            "400": { "$ref": "#/components/responses/Invalid" },
            "429": { "$ref": "#/components/responses/Wait" },
            "default": { "$ref": "#/components/responses/Refused" },
        },
        "security": match who {
            Anybody => json!([]),
            Game => json!([{ "serverKey": [] }]),
            Player => json!([{ "session": [] }]),
        },
    });
    if *who != Anybody {
        operation["responses"]["401"] = json!({ "$ref": "#/components/responses/Unauthenticated" });
    }
    if !in_query.is_empty() {
        operation["parameters"] = in_query
            .iter()
            .map(|field| json!({ "name": field.name(), "in": "query", "schema": plain(field) }))
            .collect();
    }
    if !in_body.is_empty() {
        let message = if *bound == Account { in_body[0].type_name() } else { method.input_type() };
        let optional = call == "SessionLogout" || call.starts_with("Unlink");
        operation["requestBody"] =
            json!({ "required": !optional, "content": content(&reference(message)) });
    }
    operation
}

fn dotted(message: &DescriptorProto) -> String {
    format!(".{}", message.name())
}

fn tag(path: &str) -> &'static str {
    const STARTS: [(&str, &str); 8] = [
        ("/v2/account/authenticate", "Authenticate"),
        ("/v2/account/session", "Session"),
        ("/v2/session", "Session"),
        ("/v2/account/", "Link"),
        ("/v2/account", "Account"),
        ("/v2/user", "Users"),
        ("/v2/friend", "Friends"),
        ("/v2/notification", "Notifications"),
    ];
    STARTS.iter().find(|(start, _)| path.starts_with(start)).map_or("Health", |(_, tag)| tag)
}

fn content(schema: &Value) -> Value {
    json!({ "application/json": { "schema": schema } })
}

/// A message by its full name.
fn reference(name: &str) -> Value {
    let name = name.rsplit('.').next().unwrap();
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn responses() -> Value {
    let error = |description: &str| json!({ "description": description, "content": content(&reference("Error")) });
    let mut wait = error("Too many requests, or a place in line: come back and ask again");
    wait["headers"] = json!({
        "Retry-After": { "description": "In seconds", "schema": { "type": "integer" } },
    });
    json!({
        "Invalid": error("The request cannot be right"),
        "Unauthenticated": error("Who asks is not proven"),
        "Wait": wait,
        "Refused": error("Anything else; the code tells"),
    })
}

fn schemas(api: &FileDescriptorProto) -> Value {
    let inputs = reachable(api, |method| method.input_type());
    let outputs = reachable(api, |method| method.output_type());
    let mut schemas = Map::new();
    for (at, message) in api.message_type.iter().enumerate() {
        let mut schema = message_schema(api, message, &[4, i32::try_from(at).unwrap()]);
        let name = message.name();
        if outputs.contains(name) && !inputs.contains(name) {
            schema["additionalProperties"] = json!(false);
            if let Some((_, always)) = ALWAYS.iter().find(|(of, _)| *of == name) {
                schema["required"] = json!(always);
            }
        }
        schemas.insert(name.to_owned(), schema);
        for nested in message.nested_type.iter().filter(|nested| !is_map(nested)) {
            let schema = message_schema(api, nested, &[]);
            schemas.insert(nested.name().to_owned(), schema);
        }
    }
    schemas.insert("Empty".into(), json!({ "type": "object", "additionalProperties": false }));
    schemas.insert("Error".into(), error_schema());
    schemas.insert("Queue".into(), queue_schema());
    Value::Object(schemas)
}

fn is_map(message: &DescriptorProto) -> bool {
    message.options.as_ref().is_some_and(prost_types::MessageOptions::map_entry)
}

/// The messages that the calls' messages are made of.
fn reachable<'a>(
    api: &'a FileDescriptorProto,
    of: impl Fn(&'a prost_types::MethodDescriptorProto) -> &'a str,
) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut next: Vec<&str> = api.service[0].method.iter().map(of).collect();
    while let Some(name) = next.pop() {
        let name = name.rsplit('.').next().unwrap();
        let message = api.message_type.iter().find(|message| message.name() == name);
        if let Some(message) = message
            && found.insert(name.to_owned())
        {
            let nested = message.nested_type.iter().flat_map(|nested| &nested.field);
            next.extend(message.field.iter().chain(nested).map(FieldDescriptorProto::type_name));
        }
    }
    found
}

fn message_schema(api: &FileDescriptorProto, message: &DescriptorProto, path: &[i32]) -> Value {
    let mut properties = Map::new();
    for (at, field) in message.field.iter().enumerate() {
        let mut schema = field_schema(message, field);
        let at = [path, &[2, i32::try_from(at).unwrap()]].concat();
        if let Some(words) = words(api, &at) {
            schema["description"] = json!(words);
        }
        properties.insert(field.name().to_owned(), schema);
    }
    let mut schema = json!({ "type": "object", "properties": properties });
    if let Some(words) = words(api, path) {
        schema["description"] = json!(words);
    }
    schema
}

/// The comment on what is at this path of the file.
fn words(api: &FileDescriptorProto, path: &[i32]) -> Option<String> {
    let info = api.source_code_info.as_ref()?;
    let found = info.location.iter().find(|location| location.path == path)?;
    let words = found.leading_comments().split_whitespace().collect::<Vec<_>>().join(" ");
    (!words.is_empty() && !path.is_empty()).then_some(words)
}

fn field_schema(message: &DescriptorProto, field: &FieldDescriptorProto) -> Value {
    let map =
        |nested: &&DescriptorProto| is_map(nested) && field.type_name().ends_with(&dotted(nested));
    if message.nested_type.iter().any(|nested| map(&nested)) {
        return json!({ "type": "object", "additionalProperties": { "type": "string" } });
    }
    let mut schema = plain(field);
    if field.type_name().ends_with("Value") {
        let kind = schema["type"].take();
        schema["type"] = json!([kind, "null"]);
    }
    schema
}

/// A field's schema without regard to null: as a parameter has it.
fn plain(field: &FieldDescriptorProto) -> Value {
    let one = match (field.r#type(), field.type_name()) {
        (Type::String, _) | (_, ".google.protobuf.StringValue") => json!({ "type": "string" }),
        (Type::Bool, _) | (_, ".google.protobuf.BoolValue") => json!({ "type": "boolean" }),
        (Type::Int32, _) | (_, ".google.protobuf.Int32Value") => {
            json!({ "type": "integer", "format": "int32" })
        }
        (Type::Int64, _) => json!({ "type": "string", "format": "int64" }),
        (_, ".google.protobuf.Timestamp") => json!({ "type": "string", "format": "date-time" }),
        (Type::Message, name) => reference(name),
        (other, _) => panic!("{}: no rule for {other:?}", field.name()),
    };
    if field.label() == Label::Repeated { json!({ "type": "array", "items": one }) } else { one }
}

fn error_schema() -> Value {
    json!({
        "type": "object",
        "description": "What every refusal looks like.",
        "required": ["code", "message"],
        "additionalProperties": false,
        "properties": {
            "code": { "type": "integer", "description": "gRPC status number", "minimum": 1, "maximum": 16 },
            "message": { "type": "string" },
            "queue": reference("Queue"),
        },
    })
}

fn queue_schema() -> Value {
    let number = |words: &str| json!({ "type": "integer", "minimum": 0, "maximum": i32::MAX, "description": words });
    json!({
        "type": "object",
        "description": "Where somebody stands who has to wait; asking again keeps the place.",
        "required": ["poll_after_ms", "phase"],
        "additionalProperties": false,
        "properties": {
            "lane": { "type": "string" },
            "position": number("Place within the lane, from 1"),
            "eta_ms": number("Best guess of the time to admission"),
            "eta_low_ms": number("Early end of the guess"),
            "eta_high_ms": number("Late end of the guess"),
            "poll_after_ms": number("When to ask again"),
            "phase": { "enum": ["queued", "front", "held", "paused", "full", "draining", "maintenance", "returning"] },
            "reason": { "type": "string", "description": "Why place or guess got worse" },
        },
    })
}
