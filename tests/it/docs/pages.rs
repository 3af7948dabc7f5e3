//! What the pages take for granted when their commands are run, declared.

/// A page whose commands need something.
pub struct Page {
    /// Its path from the root.
    pub document: &'static str,
    /// What is run before its first block, in its shell (functions in `shell.rs`).
    pub before: &'static str,
    /// What stands for something else, and for what: tokens, names, sizes. Ports are swapped on every
    /// page.
    pub swaps: &'static [(&'static str, &'static str)],
}

/// How many blocks may say that they are not run.
pub const NOT_RUN_MAX: usize = 16;

/// The languages of fences, and what is done with them.
pub const LANGUAGES: &[(&str, &str)] = &[
    ("sh", "run, page by page"),
    ("json", "parsed, as one value or several"),
    ("toml", "loaded as settings"),
    ("js", "parsed by node; two-players.md, hooks.md and lottery.md are run by tests of their own"),
    ("rust", "a file of the tests, word for word"),
    ("text", "not code"),
    ("cpp", "not compiled: no such SDK here; tests/it/sdk_replays.rs sends what it sends"),
    ("csharp", "the same"),
    ("dart", "the same"),
    ("gdscript", "the same"),
    ("java", "the same"),
    ("lua", "the same"),
    ("swift", "the same"),
    ("yaml", "settings of other programs: not loaded"),
    ("nginx", "tests/it/nginx.rs loads it into one"),
];

const SERVER: &str = "anteroom --dev";

/// The pages.
pub const PAGES: &[Page] = &[
    Page {
        document: "README.md",
        before: "",
        swaps: &[
            // The same with fewer people.
            (
                "--players 2000 --rate 100 --cap 1000",
                "--players 20 --rate 100 --cap 1000 --over 1 --session 1 --probe-tickets 0 \
                 --probe-sockets 0",
            ),
            ("--players 300000 --rate 150 --cap 60000", "--players 3000 --rate 150 --cap 600"),
        ],
    },
    Page {
        document: "docs/start.md",
        before: "",
        swaps: &[
            ("ANTEROOM_TOKEN=…", "ANTEROOM_TOKEN=$(operator)"),
            ("GAME_TOKEN=…", "GAME_TOKEN=$(member .game_token <partner.json)"),
            ("queue set --rate 80", "queue set --rate 80 --yes"),
            ("queue undo", "queue undo --yes"),
        ],
    },
    Page {
        document: "docs/audit.md",
        before: r#"
            anteroom --dev
            ANTEROOM_TOKEN=$(operator) anteroom ctl queue set --rate 80 --yes
            ACCOUNT=$(curl -s "http://127.0.0.1:$OPERATORS/v1/operator/accounts" \
              -H "Authorization: Bearer $(operator)" | member .items[0].id)
            stop_server
            HEAD=$(anteroom audit verify | grep -oE '[0-9]+:[0-9a-f]{64}' | tail -1)"#,
        swaps: &[("3f0c5f0e-…", "\"$ACCOUNT\""), ("1234:6b1f…", "\"$HEAD\"")],
    },
    Page {
        document: "docs/why.md",
        before: r#"
            ANTEROOM__QUEUE__RATE=0 anteroom --dev
            curl -s -u defaultkey: -d '{"id":"my-first-device"}' \
              "http://127.0.0.1:$PLAYERS/v2/account/authenticate/device" || true
            enter() { curl -s "http://127.0.0.1:$PLAYERS/v1/queue/enter" -d "$1"; }
            enter '{"device_key":"the-devices-secret"}' >waits.json
            TICKET=$(member .ticket <waits.json)
            NUMBER=$(member .number <waits.json)
            stop_server"#,
        swaps: &[
            ("eyJ…", "\"$TICKET\""),
            ("4711", "\"$NUMBER\""),
            ("device:0f3c…", "device:my-first-device"),
            ("2027-01-15T18:05:00Z", "0s"),
            ("email:ada@example.com --at 2h", "device:my-first-device"),
        ],
    },
    Page {
        document: "docs/every-day.md",
        before: "",
        swaps: &[
            // Asks people.
            ("anteroom init                 ", "true"),
            ("/srv/anteroom", "srv"),
            // What it finds is the machine's.
            ("anteroom doctor", "anteroom doctor || [ $? = 1 ]"),
            ("export ANTEROOM_TOKEN=… ", "anteroom --dev; export ANTEROOM_TOKEN=$(operator)"),
            ("set --rate 80 ", "set --rate 80 --yes"),
            ("--until 15m", "--until 15m --yes"),
            ("we are at it.\"", "we are at it.\" --yes"),
            ("queue undo", "queue undo --yes"),
            ("anteroom-20270115T080000Z.tar.gz", "before-the-patch.tar.gz"),
            ("anteroom export", "stop_server; anteroom export"),
        ],
    },
    Page {
        document: "docs/plan-your-launch.md",
        before: "",
        swaps: &[("--players 300000", "--players 3000")],
    },
    Page {
        document: "docs/coming-from-nakama.md",
        before: r#"
            mkdir FOLDER
            u="id,username,display_name,avatar_url,lang_tag,location,timezone,metadata,wallet,email"
            u="$u,password,facebook_id,google_id,gamecenter_id,steam_id,custom_id,edge_count,create_time"
            u="$u,update_time,verify_time,disable_time,facebook_instant_game_id,apple_id"
            t="1970-01-01 00:00:00+00"
            id=00000000-0000-4000-8000-000000000001
            printf '%s\n' "$u" "$id,ada,Ada,,en,,,{},{},,,,,,,,0,$t,$t,$t,$t,," >FOLDER/users.csv
            printf '%s\n' "id,user_id" "a-device-of-ada,$id" >FOLDER/user_device.csv
            printf '%s\n' "source_id,position,update_time,destination_id,state,metadata" \
              >FOLDER/user_edge.csv"#,
        swaps: &[],
    },
    Page {
        document: "docs/operator-api.md",
        before: "anteroom --dev; OPERATOR=$(operator)",
        swaps: &[],
    },
    Page {
        document: "docs/queue-api.md",
        before: r#"
            ANTEROOM__QUEUE__RATE=0 anteroom --dev
            TICKET=$(curl -s "http://127.0.0.1:$PLAYERS/v1/queue/enter" \
              -d '{"device_key":"a-secret-this-device-made"}' | member .ticket)"#,
        swaps: &[],
    },
    Page { document: "docs/queue-concepts.md", before: SERVER, swaps: &[] },
];
