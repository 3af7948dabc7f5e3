//! Bars on standard error while a measurement runs. Nothing is drawn when nobody looks at it.

use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::stage::Scene;

/// How far everybody is.
pub(super) struct Bars {
    arrived: ProgressBar,
    waiting: ProgressBar,
    online: ProgressBar,
    done: ProgressBar,
}

impl Bars {
    pub(super) fn new(players: u64, cap: u64) -> Self {
        let all = MultiProgress::new();
        let bar = |name: &'static str, of: u64| {
            let template = "{prefix:>8} {bar:40} {pos:>8} of {len} {msg}";
            let style = ProgressStyle::with_template(template)
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            all.add(ProgressBar::new(of).with_style(style).with_prefix(name))
        };
        Self {
            arrived: bar("arrived", players),
            waiting: bar("in line", players),
            online: bar("online", cap.min(players)),
            done: bar("gone", players),
        }
    }

    pub(super) fn show(&self, scene: &Scene) {
        let read = |place: &AtomicU64| place.load(Ordering::Relaxed);
        self.arrived.set_position(read(&scene.arrived));
        self.waiting.set_position(read(&scene.waiting));
        self.waiting.set_message(format!("{} admitted", read(&scene.admitted)));
        self.online.set_position(read(&scene.online));
        self.done.set_position(read(&scene.done));
        self.done.set_message(format!("{} errors", read(&scene.errors)));
    }

    pub(super) fn finish(&self) {
        for bar in [&self.arrived, &self.waiting, &self.online, &self.done] {
            bar.finish_and_clear();
        }
    }
}
