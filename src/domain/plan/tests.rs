//! The parts of a plan, one by one. Whole launches: `tests/it/plan.rs`.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use super::recommend::{
    demand_peak, lease_s, line_max, login_cost, pass_ttl_s, poll_budget, rate, rate_by_hashing,
    turnover,
};
use super::*;

fn dice(seed: u64) -> impl FnMut() -> u64 {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    move || rng.next_u64()
}

fn near(value: f64, wanted: f64, share: f64) {
    assert!((value / wanted - 1.0).abs() < share, "{value}, not {wanted}");
}

#[test]
fn spans_have_their_mean_and_their_slowest_of_a_hundred() {
    for spread in [
        Spread::Exponential { mean_s: 40.0 },
        Spread::Lognormal { mean_s: 40.0, sigma: 0.6 },
        Spread::Lognormal { mean_s: 40.0, sigma: 1.0 },
    ] {
        let mut dice = dice(5);
        let mut all: Vec<u32> = (0..100_000).map(|_| spread.draw_ms(&mut dice)).collect();
        all.sort_unstable();
        let mean = all.iter().map(|&ms| f64::from(ms)).sum::<f64>() / 1e5;
        near(mean, 40_000.0, 0.02);
        near(f64::from(percentile(&all, 0.99).unwrap()) / 1e3, spread.p99_s(), 0.04);
    }
    assert_eq!(Spread::Endless.draw_ms(&mut dice(1)), FOR_EVER_MS);
    assert_eq!(Spread::Endless.mean_s(), None);
}

#[test]
fn people_come_as_the_curve_says() {
    let arrivals = |curve: Curve| {
        let all = curve.arrivals_ms(50_000, &mut dice(3));
        assert!(all.is_sorted());
        all
    };
    let share = |all: &[u32], from_s: u32, to_s: u32| {
        let inside = all.iter().filter(|&&ms| (from_s * 1_000..to_s * 1_000).contains(&ms)).count();
        f64::from(u32::try_from(inside).unwrap()) / 50_000.0
    };
    let ramp = arrivals(Curve::Ramp { mean_s: 100.0 });
    near(share(&ramp, 0, 100), 1.0 - (-1.0_f64).exp(), 0.02);
    let spike = arrivals(Curve::Spike { share: 0.6, within_s: 10.0, mean_s: 1_000.0 });
    near(share(&spike, 0, 10), 0.6 + 0.4 * 0.01, 0.03);
    let flat = arrivals(Curve::Flat { over_s: 200.0 });
    near(share(&flat, 50, 100), 0.25, 0.03);
    let day = arrivals(Curve::Day { over_s: 86_400.0 });
    let (evening, morning) = (share(&day, 68_400, 75_600), share(&day, 25_200, 32_400));
    assert!(evening > 6.0 * morning, "{evening} in the evening, {morning} in the morning");
    let recorded = arrivals(Curve::Recorded { per_minute: vec![3, 0, 2] });
    assert_eq!(Curve::per_minute(&recorded), [3, 0, 2]);
}

#[test]
fn a_login_costs_what_its_hashes_cost() {
    let mix = |password, token, new_account| Mix { password, token, new_account };
    near(login_cost(mix(1.0, 0.0, 0.0)), 1.0, 1e-9);
    near(login_cost(mix(0.0, 2.0, 2.0)), 1.01, 1e-9);
    let machine = Machine { cores: 4.0, logins_per_core: 58.0 };
    near(rate_by_hashing(machine, mix(1.0, 0.0, 0.0)), 185.6, 1e-9);
    near(rate_by_hashing(machine, mix(0.0, 0.0, 1.0)), 92.8, 1e-9);
}

#[test]
fn the_rate_fills_the_world_and_keeps_it_full_as_far_as_hashing_carries() {
    // 60,000 slots, 45 minutes, 15 % do not come.
    let frees = turnover(60_000.0, Some(2_700.0), 0.15);
    near(frees, 26.14, 0.001);
    assert!(turnover(60_000.0, None, 0.15) <= 0.0, "endless sessions free no slot");
    near(rate(1_000.0, 60_000.0, frees), 200.0, 1e-9);
    near(rate(90.0, 60_000.0, frees), 90.0, 1e-9);
    // Short sessions: keeping it full needs more than filling it.
    near(rate(1_000.0, 600.0, turnover(600.0, Some(60.0), 0.0)), 12.0, 1e-9);
}

#[test]
fn demand_is_who_would_be_online_without_a_line() {
    assert_eq!(demand_peak(&[], Some(60.0)), 0);
    assert_eq!(demand_peak(&[500, 250], None), 750, "nobody leaves");
    // 100 a minute who stay ten minutes: a thousand, whatever the time.
    assert!(demand_peak(&[100; 600], Some(600.0)).abs_diff(1_000) <= 10);
    assert!(demand_peak(&[1_000], Some(60.0)) < 1_000);
}

#[test]
fn a_pass_lives_three_slow_logins_and_a_lease_three_polls() {
    near(pass_ttl_s(1.0), 30.0, 1e-9);
    near(pass_ttl_s(23.0), 69.0, 1e-9);
    near(pass_ttl_s(f64::INFINITY), 86_400.0, 1e-9);
    near(lease_s(60_000), 300.0, 1e-9);
    near(lease_s(300_000), 900.0, 1e-9);
}

#[test]
fn the_poll_budget_is_that_of_ten_polls_a_wait_if_the_machine_carries_it() {
    // login-queues §2.7: 1M waiting, 500 a second, c = 0.1, 1 to 300 s.
    near(poll_budget(1e6, 500.0, (1_000, 300_000), 64.0), 34_000.0, 0.01);
    near(poll_budget(1e6, 500.0, (1_000, 300_000), 2.0), 25_000.0, 0.01);
    near(poll_budget(1e6, 10_000.0, (1_000, 300_000), 2.0), 60_000.0, 0.01);
    near(poll_budget(0.0, 50.0, (1_000, 300_000), 4.0), 10.0, 1e-9);
    near(line_max(82_687.0), 130_000.0, 1e-9);
    near(line_max(3.0), 10_000.0, 1e-9);
}

#[test]
fn a_plan_is_compared_where_enough_was_recorded() {
    let minute = |minute, online| Minute { minute, online: Some(online), ..Minute::default() };
    let recorded = [minute(0, 1), minute(1, 1_000), minute(2, 2_000), minute(3, 2_000)];
    let sample = |at_s, online| Sample { at_s, online, ..Sample::default() };
    let played = [sample(60, 500), sample(120, 1_100), sample(180, 1_900)];
    let off = compare(&recorded, &played);
    let [online] = off.as_slice() else { panic!("nobody recorded who waited: {off:?}") };
    assert_eq!((online.series, online.minutes), ("online", 2), "one too small, one not played");
    near(online.median, 0.05, 1e-9);
    near(online.p90, 0.10, 1e-9);
}
