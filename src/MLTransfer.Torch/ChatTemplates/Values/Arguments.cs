using System.Numerics;

namespace MLTransfer.Torch.ChatTemplates.Values;

/// <summary>The arguments of a call.</summary>
internal sealed class Arguments(IReadOnlyList<object?> positional, IReadOnlyDictionary<string, object?> named)
{
    public static Arguments None { get; } = new([], new Dictionary<string, object?>());

    public IReadOnlyList<object?> Positional => positional;

    public IReadOnlyDictionary<string, object?> Named => named;

    /// <summary>Gives each argument its parameter: the first <paramref name="required"/> must be there.</summary>
    public BoundArguments Bind(string function, int required, params string[] parameters)
    {
        if (positional.Count > parameters.Length)
            throw new ChatTemplateException($"{function}() takes at most {parameters.Length} arguments, {positional.Count} are given");
        var values = new object?[parameters.Length];
        Array.Fill(values, BoundArguments.Missing);
        for (var index = 0; index < positional.Count; index++)
            values[index] = positional[index];
        foreach (var (name, value) in named)
        {
            var index = Array.IndexOf(parameters, name);
            if (index < 0)
                throw new ChatTemplateException($"{function}() has no parameter '{name}'");
            if (index < positional.Count)
                throw new ChatTemplateException($"{function}() gets its argument '{name}' twice");
            values[index] = value;
        }
        for (var index = 0; index < required; index++)
        {
            if (values[index] == BoundArguments.Missing)
                throw new ChatTemplateException($"{function}() needs its argument '{parameters[index]}'");
        }
        return new(function, parameters, values);
    }
}

internal sealed class BoundArguments(string function, string[] parameters, object?[] values)
{
    public static object Missing { get; } = new();

    public bool Has(int index) => values[index] != Missing;

    public object? Get(int index, object? otherwise = null) => Has(index) ? values[index] : otherwise;

    public bool Flag(int index, bool otherwise = false) => Has(index) ? Truth.Of(values[index]) : otherwise;

    public string Text(int index, string otherwise = "") => !Has(index) ? otherwise : values[index] switch
    {
        string text => text,
        SafeText safe => safe.Text,
        Undefined undefined => throw undefined.Error(),
        var value => throw Wrong(index, "a text", value),
    };

    public int Integer(int index, int otherwise = 0) => !Has(index) ? otherwise : values[index] switch
    {
        BigInteger value => (int)BigInteger.Max(int.MinValue, BigInteger.Min(int.MaxValue, value)),
        bool value => value ? 1 : 0,
        Undefined undefined => throw undefined.Error(),
        var value => throw Wrong(index, "an integer", value),
    };

    private ChatTemplateException Wrong(int index, string expected, object? value) =>
        new($"{function}() needs {expected} as '{parameters[index]}', not {TypeName.Of(value)}");
}
