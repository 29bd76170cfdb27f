using System.Globalization;
using System.Numerics;
using MLTransfer.Torch.ChatTemplates.Values;

namespace MLTransfer.Torch.ChatTemplates.Evaluation;

/// <summary>Filters that apply a filter or test to each item, and attributes by name.</summary>
internal static class SelectionFilters
{
    public static IEnumerable<KeyValuePair<string, Filter>> All => new Dictionary<string, Filter>
    {
        ["attr"] = (evaluator, value, arguments) =>
            Members.AttributeOnly(evaluator.Budget, value, arguments.Bind("attr", 1, "name").Text(0)),
        ["map"] = Map,
        ["select"] = (evaluator, value, arguments) => Select(evaluator, value, arguments, byAttribute: false, keeps: true),
        ["reject"] = (evaluator, value, arguments) => Select(evaluator, value, arguments, byAttribute: false, keeps: false),
        ["selectattr"] = (evaluator, value, arguments) => Select(evaluator, value, arguments, byAttribute: true, keeps: true),
        ["rejectattr"] = (evaluator, value, arguments) => Select(evaluator, value, arguments, byAttribute: true, keeps: false),
    };

    /// <summary>An attribute by its path: <c>function.name</c>, <c>items.0</c>.</summary>
    public static object? Attribute(Evaluator evaluator, object? item, object? path)
    {
        evaluator.Budget.Step();
        if (Texts.TryGet(path) is not { } text)
            return Members.Item(evaluator.Budget, item, path);
        foreach (var part in text.Split('.'))
        {
            item = Members.Item(
                evaluator.Budget, item,
                BigInteger.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : part);
        }
        return item;
    }

    private static OneTimeSequence Map(Evaluator evaluator, object? value, Arguments arguments)
    {
        if (arguments.Positional.Count == 0)
        {
            var bound = arguments.Bind("map", 0, "attribute", "default");
            if (!bound.Has(0))
                throw new ChatTemplateException("map needs a filter's name, or attribute=");
            return new OneTimeSequence(Iteration.Over(value).Select(item =>
                Attribute(evaluator, item, bound.Get(0)) is var found && found is Undefined && bound.Has(1) ? bound.Get(1) : found));
        }
        var name = Texts.Write(arguments.Positional[0]);
        var rest = new Arguments([.. arguments.Positional.Skip(1)], arguments.Named);
        var filter = new Lazy<Filter>(() => Filters.Get(name));
        return new OneTimeSequence(Iteration.Over(value).Select(item =>
        {
            evaluator.Budget.Enter();
            var mapped = filter.Value(evaluator, item, rest);
            evaluator.Budget.Leave();
            return mapped;
        }));
    }

    private static OneTimeSequence Select(Evaluator evaluator, object? value, Arguments arguments, bool byAttribute, bool keeps)
    {
        var skipped = byAttribute ? 1 : 0;
        if (arguments.Positional.Count < skipped)
            throw new ChatTemplateException("the name of an attribute is missing");
        var test = arguments.Positional.Count > skipped ? Texts.Write(arguments.Positional[skipped]) : null;
        var rest = new Arguments([.. arguments.Positional.Skip(skipped + 1)], arguments.Named);
        return new(Iteration.Over(value).Where(item =>
        {
            evaluator.Budget.Step();
            var tested = byAttribute ? Attribute(evaluator, item, arguments.Positional[0]) : item;
            return keeps == (test is null ? Truth.Of(tested) : Tests.Get(test)(evaluator.Budget, tested, rest));
        }));
    }
}
