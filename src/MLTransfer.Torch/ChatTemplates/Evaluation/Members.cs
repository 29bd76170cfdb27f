using System.Numerics;
using MLTransfer.Torch.ChatTemplates.Values;

namespace MLTransfer.Torch.ChatTemplates.Evaluation;

/// <summary>Attributes and items, with what the sandbox keeps from templates: names of Python's inside, and all that changes a
/// value.</summary>
internal static class Members
{
    private static readonly HashSet<string> s_changesList = ["append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"];

    private static readonly HashSet<string> s_changesDictionary = ["clear", "pop", "popitem", "setdefault", "update"];

    /// <summary><c>target.name</c>: an attribute, else an item.</summary>
    public static object? Attribute(Budget budget, object? target, string name)
    {
        if (target is Undefined undefined)
            throw undefined.Error();
        if (IsUnsafe(target, name))
            return Unsafe(target, name);
        if (TryAttribute(budget, target, name, out var value))
            return value;
        var (found, item) = Operators.Item(budget, target, name);
        return found ? item : Missing(target, name);
    }

    /// <summary><c>target[index]</c>: an item, else an attribute.</summary>
    public static object? Item(Budget budget, object? target, object? index)
    {
        var (found, item) = Operators.Item(budget, target, index);
        if (found)
            return item;
        if (Texts.TryGet(index) is not { } name)
            return new Undefined($"a value of type '{TypeName.Of(target)}' has no item {Texts.Represent(index)}");
        return IsUnsafe(target, name) ? Unsafe(target, name)
            : TryAttribute(budget, target, name, out var value) ? value : Missing(target, name);
    }

    /// <summary>An attribute alone, as the filter <c>attr</c> takes it.</summary>
    public static object? AttributeOnly(Budget budget, object? target, string name) =>
        IsUnsafe(target, name) ? Unsafe(target, name)
        : target is Undefined undefined ? throw undefined.Error()
        : TryAttribute(budget, target, name, out var value) ? value : Missing(target, name);

    private static bool IsUnsafe(object? target, string name) => name.StartsWith("__", StringComparison.Ordinal)
        || (target is ListValue && s_changesList.Contains(name)) || (target is DictionaryValue && s_changesDictionary.Contains(name));

    private static Undefined Unsafe(object? target, string name) =>
        new($"access to the attribute '{name}' of a value of type '{TypeName.Of(target)}' is not safe");

    private static Undefined Missing(object? target, string name) =>
        new($"a value of type '{TypeName.Of(target)}' has no attribute '{name}'");

    private static bool TryAttribute(Budget budget, object? target, string name, out object? value)
    {
        value = null;
        switch (target)
        {
            case NamespaceValue space:
                return space.Attributes.TryGet(name, out value);
            case ObjectValue thing:
                return thing.TryGet(name, out value);
            case CallableValue { Attributes: { } attributes }:
                return attributes.TryGetValue(name, out value);
            case TupleValue tuple when tuple.Names.ToList().IndexOf(name) is >= 0 and var index:
                value = tuple.Items[index];
                return true;
        }
        var method = target switch
        {
            DictionaryValue dictionary => DictionaryMethod(dictionary, name),
            ListValue or TupleValue or RangeValue => SequenceMethod((SequenceValue)target, name),
            double number when name == "is_integer" => _ => Math.Floor(number) == number,
            _ => Texts.TryGet(target) is { } text ? StringMethods.Find(budget, text, name) : null,
        };
        value = method is null ? null : new CallableValue("builtin_function_or_method", name, method);
        return method is not null;
    }

    private static Func<Arguments, object?>? DictionaryMethod(DictionaryValue dictionary, string name) => name switch
    {
        "keys" => _ => new DictionaryView("dict_keys", [.. dictionary.Keys]),
        "values" => _ => new DictionaryView("dict_values", [.. dictionary.Values]),
        "items" => _ => new DictionaryView("dict_items", [.. dictionary.Items.Select(item => new TupleValue([item.Key, item.Value]))]),
        "copy" => _ => dictionary,
        "get" => arguments =>
        {
            var bound = arguments.Bind("get", 1, "key", "default");
            return dictionary.TryGet(bound.Get(0), out var value) ? value : bound.Get(1);
        },
        _ => null,
    };

    private static Func<Arguments, object?>? SequenceMethod(SequenceValue sequence, string name) => name switch
    {
        "count" => arguments =>
        {
            var item = arguments.Bind("count", 1, "value").Get(0);
            return new BigInteger(sequence.Items.Count(candidate => Equality.AreEqual(candidate, item)));
        },
        "index" => arguments =>
        {
            var item = arguments.Bind("index", 1, "value").Get(0);
            for (var index = 0; index < sequence.Items.Count; index++)
            {
                if (Equality.AreEqual(sequence.Items[index], item))
                    return new BigInteger(index);
            }
            throw new ChatTemplateException($"{Texts.Represent(item)} is not in the list");
        },
        "copy" when sequence is ListValue => _ => sequence,
        _ => null,
    };
}
