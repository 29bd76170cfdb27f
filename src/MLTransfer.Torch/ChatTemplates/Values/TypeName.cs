using System.Numerics;

namespace MLTransfer.Torch.ChatTemplates.Values;

/// <summary>Python's names of types, as authors of templates know them.</summary>
internal static class TypeName
{
    public static string Of(object? value) => value switch
    {
        null => "NoneType",
        bool => "bool",
        BigInteger => "int",
        double => "float",
        string => "str",
        SafeText => "Markup",
        ListValue => "list",
        TupleValue => "tuple",
        RangeValue => "range",
        DictionaryView view => view.Kind,
        DictionaryValue => "dict",
        NamespaceValue => "Namespace",
        OneTimeSequence => "generator",
        CallableValue callable => callable.Kind,
        ObjectValue thing => thing.Kind,
        _ => "Undefined",
    };
}
