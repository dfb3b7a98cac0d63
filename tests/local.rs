//! The suites of local realms, in a browser.

use wasm_bindgen_test::wasm_bindgen_test_configure;

mod host;

wasm_bindgen_test_configure!(run_in_browser);

fn prepare() {}

suite!(crud {
    a_created_object_reads_back
    class_models_have_their_methods
    objects_look_like_objects
    to_json_goes_round_in_cycles
    create_makes_linked_objects
    update_modes_do_what_they_say
    a_value_that_does_not_fit_leaves_nothing_half_written
    wrong_types_are_named
    a_thrown_error_rolls_the_write_back
    transactions_can_be_made_by_hand
    writing_takes_a_transaction
    delete_takes_objects_and_collections
    a_deleted_object_says_so
    lists_are_written_in_place
    collections_read_like_arrays
    iteration_and_snapshots_are_not_disturbed
    instances_of_one_path_share_everything
    a_closed_realm_says_so
    results_update_every_object
    aggregates_reckon
});
