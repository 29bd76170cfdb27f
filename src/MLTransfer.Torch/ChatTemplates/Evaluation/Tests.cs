using System.Numerics;
using MLTransfer.Torch.ChatTemplates.Values;

namespace MLTransfer.Torch.ChatTemplates.Evaluation;

internal delegate bool Test(Budget budget, object? value, Arguments arguments);

/// <summary>What stands behind <c>is</c>.</summary>
internal static class Tests
{
    private static readonly Dictionary<string, Test> s_tests = new()
    {
        ["defined"] = (_, value, _) => value is not Undefined,
        ["undefined"] = (_, value, _) => value is Undefined,
        ["none"] = (_, value, _) => value is null,
        ["string"] = (_, value, _) => value is string or SafeText,
        ["number"] = (_, value, _) => Numbers.Is(value),
        ["integer"] = (_, value, _) => value is BigInteger,
        ["float"] = (_, value, _) => value is double,
        ["boolean"] = (_, value, _) => value is bool,
        ["true"] = (_, value, _) => value is true,
        ["false"] = (_, value, _) => value is false,
        ["mapping"] = (_, value, _) => value is DictionaryValue,
        ["iterable"] = (_, value, _) => value is string or SafeText or SequenceValue or DictionaryValue or OneTimeSequence or Undefined,
        ["sequence"] = (_, value, _) => value is string or SafeText or SequenceValue and not DictionaryView or DictionaryValue or Undefined,
        ["callable"] = (_, value, _) => value is CallableValue or ObjectValue { Call: not null } or Undefined,
        ["escaped"] = (_, value, _) => value is SafeText,
        ["lower"] = (_, value, _) => StringMethods.IsLower(Texts.Write(value)),
        ["upper"] = (_, value, _) => StringMethods.IsUpper(Texts.Write(value)),
        ["even"] = (_, value, _) => Equality.AreEqual(Remainder(value, new BigInteger(2)), BigInteger.Zero),
        ["odd"] = (_, value, _) => Equality.AreEqual(Remainder(value, new BigInteger(2)), BigInteger.One),
        ["divisibleby"] = (_, value, arguments) => Equality.AreEqual(Remainder(value, Other(arguments)), BigInteger.Zero),
        ["sameas"] = (_, value, arguments) => TypeName.Of(value) == TypeName.Of(Other(arguments))
            && (Numbers.Is(value) || value is string ? Equality.AreEqual(value, Other(arguments))
                : ReferenceEquals(value, Other(arguments))),
        ["in"] = (budget, value, arguments) => Iteration.Contains(budget, Other(arguments), value),
        ["filter"] = (_, value, _) => Filters.Has(Texts.Write(value)),
        ["test"] = (_, value, _) => Has(Texts.Write(value)),
    };

    static Tests()
    {
        foreach (var (operation, names) in ((string, string[])[])
            [("==", ["eq", "equalto"]), ("!=", ["ne"]), ("<", ["lt", "lessthan"]), ("<=", ["le"]), (">", ["gt", "greaterthan"]),
                (">=", ["ge"])])
        {
            foreach (var name in names.Append(operation))
                s_tests[name] = (_, value, arguments) => operation switch
                {
                    "==" => Equality.AreEqual(value, Other(arguments)),
                    "!=" => !Equality.AreEqual(value, Other(arguments)),
                    _ => Orders(operation, value, Other(arguments)),
                };
        }
    }

    public static bool Has(string name) => s_tests.ContainsKey(name);

    public static Test Get(string name) =>
        s_tests.GetValueOrDefault(name) ?? throw new ChatTemplateException($"there is no test '{name}'");

    /// <summary>Whether <c>&lt;</c>, <c>&lt;=</c>, <c>&gt;</c> or <c>&gt;=</c> holds.</summary>
    public static bool Orders(string operation, object? left, object? right) => Ordering.Compare(left, right, operation) is { } order
        && operation switch { "<" => order < 0, "<=" => order <= 0, ">" => order > 0, _ => order >= 0 };

    private static object Remainder(object? value, object? divisor) =>
        value is Undefined undefined ? throw undefined.Error()
        : Numbers.Is(value) && Numbers.Is(divisor) ? Numbers.Apply("%", value, divisor)
        : throw new ChatTemplateException($"a value of type '{TypeName.Of(value)}' cannot be divided");

    private static object? Other(Arguments arguments) => arguments.Bind("test", 1, "other").Get(0);
}
