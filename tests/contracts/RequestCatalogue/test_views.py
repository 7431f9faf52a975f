from reading import plain


def test_type_of__given_unknown_type__is_zero(catalogue):
    assert plain(catalogue.typeOf(77)) == (False, 0, 0, 0, "0x" + "00" * 32)


def test_open_type__given_unknown_type__reverts(catalogue, reverts_with):
    with reverts_with("RequestCatalogue_UnknownType", 77):
        catalogue.openType(77)


def test_sharing_terms__given_none_set__are_zero(catalogue):
    assert plain(catalogue.sharingTerms()) == (0, 0, 0)
