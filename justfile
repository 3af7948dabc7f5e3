# What a developer does here. CI calls the same commands (.ci/run).

# list the recipes
default:
    @just --list

# run the server for development
run *ARGS:
    cargo run -- --dev {{ARGS}}

# all tests: rules, actors, the real server, real clients
test *ARGS:
    cargo test {{ARGS}}

# formatting, lints, licences
check:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings
    cargo deny --log-level error check

# the seeded simulation with more seeds, or one: just sim 20000, SEED=7 just sim
sim SEEDS="10000":
    SIM_SEEDS={{SEEDS}} cargo test --test sim -- --nocapture

# whether the simulation notices a broken core
mutants:
    cargo test --test mutants -- --nocapture

# kill -9 and power loss, more rounds
crash ROUNDS="50":
    CRASH_ROUNDS={{ROUNDS}} cargo test --test it crash -- --nocapture

# the figures of docs/figures.md
bench NAME:
    cargo bench --bench {{NAME}}

# write config.toml and docs/reference from the program
reference:
    cargo run -q -- config example > config.toml.new && mv config.toml.new config.toml
    cargo run -q -- config reference > docs/reference/config.md.new && mv docs/reference/config.md.new docs/reference/config.md
    cargo run -q -- config errors > docs/reference/errors.md.new && mv docs/reference/errors.md.new docs/reference/errors.md
    cargo run -q -- config metrics > docs/reference/metrics.md.new && mv docs/reference/metrics.md.new docs/reference/metrics.md

# the documentation as a site, in target/book
book:
    docs/build
