//! The suites of local realms, in a browser.

use wasm_bindgen_test::wasm_bindgen_test_configure;

mod host;

wasm_bindgen_test_configure!(run_in_browser);

/// There is nothing to wait for.
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
    closing_an_instance_ends_its_transaction
    a_closed_realm_says_so
    results_update_every_object
    aggregates_reckon
    a_value_over_the_limit_is_refused_and_leaves_nothing
});

suite!(encryption {
    nothing_of_an_encrypted_realm_can_be_read
    a_wrong_key_is_refused_and_changes_nothing
    keys_are_checked
    a_record_in_the_place_of_another_is_damage
    copies_and_migrations_keep_or_change_the_key
});

suite!(errors {
    configurations_are_checked
    sync_configurations_are_checked
    a_client_reset_that_nobody_asked_for_is_refused
    a_server_that_is_not_there_is_said_to_be
});

suite!(listeners {
    results_tell_what_changed
    filtered_and_sorted_results_tell_positions_of_their_own
    objects_tell_which_properties_changed
    lists_tell_what_changed
    sorted_values_of_a_list_tell_what_changed
    an_object_that_goes_before_the_first_call_is_told_to_be_gone
    each_listener_is_called_once_a_turn
    listeners_can_be_removed
    listeners_may_add_remove_and_write
    an_exception_in_a_listener_stops_nobody
    a_cancelled_write_tells_nobody
    closing_ends_listeners
});

suite!(logging {
    opening_committing_and_rolling_back_are_told
    only_warnings_are_told_unless_more_is_wanted
    a_level_holds_for_a_category_and_those_within_it
    a_logger_with_two_parameters_gets_level_and_message
    the_console_is_the_logger_again_after_shutdown
    levels_categories_and_loggers_are_checked
});

suite!(collection_listeners {
    sets_tell_what_changed
    what_is_taken_out_and_put_in_again_has_gone_and_come
    sorted_sets_tell_positions_of_their_own
    dictionaries_tell_keys
    embedded_objects_are_part_of_their_owner_for_collections_and_not_for_its_own_listener
    links_the_other_way_round_tell_who_links
    key_paths_lead_against_links_and_know_both_names_of_a_property
    lists_and_dictionaries_inside_a_value_tell_what_changed
    a_change_inside_a_value_of_a_dictionary_modifies_its_key
    limited_and_distinct_results_tell_what_moves_in_and_out
    a_list_that_is_assigned_the_same_links_is_no_news_to_its_listener
    a_link_that_is_set_to_what_it_was_is_no_change
    empty_collections_tell_of_their_owners_end_once
    updating_what_was_modified_writes_what_javascript_finds_different
    results_of_a_closed_realm_take_listeners_and_stay_silent
});

suite!(collections {
    positions_are_read_as_realm_reads_them
    array_methods_work_on_every_collection
    elements_are_found_by_what_they_are
    what_cannot_be_assigned_says_so
    splice_has_the_corners_of_an_array
    orders_are_checked
    iterating_is_not_disturbed_by_what_happens_meanwhile
    collections_say_what_they_are
    what_is_left_of_the_links_of_a_deleted_object_is_empty
});

suite!(migrations {
    a_migration_shows_the_old_realm_and_fills_the_new_one
    a_migration_that_throws_changes_nothing
    a_migration_may_change_primary_keys
    what_takes_a_migration_is_named
    values_are_kept_where_they_fit
    a_realm_may_start_over_instead
    a_class_is_deleted_with_its_objects
    a_schema_grows_inside_a_transaction
    objects_of_class_models_migrate
    objects_are_embedded_if_each_has_one_owner
});

suite!(opening {
    a_realm_that_was_closed_in_this_page_opens_without_waiting
    of_closed_realms_no_more_are_kept_than_64_megabytes
    migrations_need_no_waiting_either
    a_realm_that_another_page_has_opened_takes_an_asynchronous_open
    nothing_is_written_over_a_head_that_cannot_be_read
    what_was_just_deleted_is_begun_anew
    instances_of_one_path_agree
    a_copy_is_a_realm_of_its_own
    a_copy_can_be_opened_at_once
    what_fails_to_open_again_loses_nothing
    compaction_is_offered_and_leaves_what_is_used
});

suite!(key_paths {
    a_collection_listener_with_key_paths_hears_of_these_only
    an_object_listener_with_key_paths_hears_of_linked_objects_too
    a_list_listener_with_key_paths_always_hears_of_the_list_itself
    the_listeners_of_one_object_or_collection_share_their_key_paths
    wrong_key_paths_are_refused_and_nothing_listens
    classes_listen_by_key_paths_as_schemas_do
});

suite!(realm_listeners {
    a_change_is_told_within_the_commit_and_other_listeners_after_it
    a_listener_is_called_once_a_commit_however_often_it_was_added
    beforenotify_is_told_once_a_turn_even_if_nobody_else_listens
    every_instance_of_a_path_hears_of_a_commit
    realm_listeners_may_add_remove_and_write
    an_exception_in_a_realm_listener_stops_nobody
    wrong_events_and_callbacks_are_refused
});

suite!(persistence {
    everything_is_there_after_opening_again
    every_type_is_there_after_opening_again
    many_commits_and_a_large_one_survive
    the_schema_is_read_from_the_store
    deleted_realms_are_gone
    a_realm_that_could_not_be_deleted_is_still_there
    openings_at_the_same_time_share_one_engine
    objects_stand_in_the_order_in_which_they_were_created_over_several_openings
    a_new_class_is_added_and_a_changed_one_needs_a_migration
    a_realm_that_is_open_is_not_opened_differently
    the_promise_of_a_realm_tells_progress_and_can_be_cancelled
    a_first_opening_populates
    a_first_opening_that_fails_leaves_the_next_one_to_be_the_first
    clearing_the_test_state_leaves_no_realm_that_a_test_has_closed
});

suite!(queries {
    comparisons_and_logic_filter
    string_operators_filter
    nulls_and_links_filter
    arguments_take_every_form
    lists_of_objects_are_filtered_in_their_order
    sorting_takes_all_forms
    results_stay_live
    malformed_queries_are_refused
    a_query_describes_itself
    lists_of_values_sort_and_find
});

suite!(query_types {
    regions_are_arguments_in_every_form
    words_are_found_through_their_index
    properties_go_by_both_names_and_linking_objects_by_theirs
    values_of_every_type_are_arguments
    paths_go_through_mixed_values
    links_and_bytes_in_mixed_values_have_names_of_their_own
});

suite!(rows {
    values_read_often_are_those_that_were_written
    what_is_read_often_follows_every_change
    reading_goes_on_when_the_memory_grows
    objects_are_found_however_their_primary_keys_are_spread
    objects_of_a_snapshot_are_read_as_they_are_now
    numbers_that_do_not_fit_are_refused_and_change_nothing
});

suite!(surface {
    every_name_is_there
    every_member_is_there
    enumerations_have_realms_values
    collections_are_not_constructed
    decorators_ask_for_their_plugin
    distances_become_angles
    what_a_browser_or_the_server_lacks_says_so
    what_has_not_come_yet_is_named_by_every_way_to_it
    what_is_accepted_for_code_written_for_realm_does_nothing
    errors_of_schemas_name_class_and_property
    a_template_object_has_defaults_and_empty_values
    values_may_be_an_array_where_a_flag_says_so
    an_object_is_found_by_its_key_in_the_store
    realms_without_a_path_have_the_default_one
    the_global_realm_is_there_unless_a_flag_forbids_it
});

suite!(types {
    documents_become_bson_and_are_themselves_again
    every_type_reads_back_as_it_was_written
    values_of_a_wrong_type_are_refused
    defaults_are_values_or_functions
    the_schema_reads_back_in_full
    malformed_schemas_are_refused_by_name
    schemas_that_contradict_themselves_are_refused
    a_schema_reads_back_in_the_order_of_realm_and_opens_a_realm_again
    every_type_has_its_canonical_form
    what_is_no_number_is_left_out_of_aggregates
    numbers_keep_their_precision
    a_value_is_found_as_the_collection_keeps_it
});

suite!(sets {
    a_set_holds_each_value_once_in_order
    a_set_is_written_in_place
    a_set_reads_like_a_collection
    a_set_takes_arrays_and_refuses_the_rest
    a_set_of_objects_holds_links
    a_set_ends_with_its_object
});

suite!(dictionaries {
    a_dictionary_reads_like_an_object
    a_dictionary_is_written_in_place
    a_dictionary_is_assigned_as_a_whole
    a_dictionary_refuses_what_does_not_fit
    a_dictionary_holds_links_and_embedded_objects
    a_dictionary_ends_with_its_object
});

suite!(embedded {
    an_embedded_object_is_created_in_its_place
    an_embedded_object_is_replaced_and_removed
    lists_of_embedded_objects_are_written_in_place
    a_managed_embedded_object_is_copied
    embedded_objects_go_with_their_owner
    an_embedded_object_does_not_stand_by_itself
    a_failed_replacement_leaves_the_old_object
});

suite!(counters {
    a_counter_counts
    an_optional_counter_starts_and_ends
    a_counter_is_not_assigned
    a_counter_is_declared_in_its_own_way
});

suite!(linking_objects {
    links_are_seen_from_the_other_end
    links_the_other_way_round_are_read_only
    only_links_have_another_end
});

suite!(map_to {
    the_public_name_is_used_everywhere
    queries_know_both_names
    the_store_has_the_other_name
    names_that_clash_are_refused
});

suite!(types_mixed {
    a_mixed_holds_a_value_of_any_type
    collections_in_a_mixed_are_live
    collections_in_a_mixed_follow_their_elements
    lists_in_a_mixed_are_written_in_place
    a_mixed_refuses_what_it_cannot_hold
    mixed_values_sort_and_add_up
    a_list_inside_a_mixed_is_sorted_and_reckoned_with
});

suite!(whole {
    a_write_that_fails_at_its_last_value_leaves_nothing
    what_is_written_after_a_failure_is_kept
    a_dead_object_is_deleted_with_nobody
});
