using System.Numerics;
using MLTransfer.Torch.ChatTemplates.Values;

namespace MLTransfer.Torch.ChatTemplates.Evaluation;

/// <summary>The functions that every template has.</summary>
internal static class Functions
{
    public static void AddTo(Scope scope, TimeProvider clock)
    {
        void Add(string name, Func<Arguments, object?> function, string kind = "function") =>
            scope.Set(name, new CallableValue(kind, name, function));
        // The template's own reference, whose blocks are not offered.
        scope.Set("self", new ObjectValue("TemplateReference", _ => default));
        Add("range", Range, "type");
        Add("dict", Dictionary, "type");
        Add("namespace", arguments => new NamespaceValue(Dictionary(arguments)), "type");
        Add("cycler", Cycler, "type");
        Add("joiner", Joiner, "type");
        Add("raise_exception", arguments =>
            throw new ChatTemplateException(Texts.Write(arguments.Bind("raise_exception", 1, "message").Get(0)), isRaised: true));
        Add("strftime_now", arguments =>
            TimeFormat.Write(arguments.Bind("strftime_now", 1, "format").Text(0), clock.GetLocalNow().DateTime));
    }

    private static RangeValue Range(Arguments arguments)
    {
        var bound = arguments.Bind("range", 1, "start", "stop", "step");
        var (start, stop) = bound.Has(1) ? (bound.Integer(0), bound.Integer(1)) : (0, bound.Integer(0));
        var step = bound.Integer(2, 1);
        if (step == 0)
            throw new ChatTemplateException("the step of a range cannot be zero");
        var count = Math.Max(0, ((long)stop - start + step - Math.Sign(step)) / step);
        if (count > TemplateLimits.Range)
            throw new ChatTemplateException($"a range has more than {TemplateLimits.Range} numbers");
        return new(
            [.. Enumerable.Range(0, (int)count).Select(index => (object)new BigInteger(start + ((long)index * step)))],
            step == 1 ? $"range({start}, {stop})" : $"range({start}, {stop}, {step})");
    }

    private static DictionaryValue Dictionary(Arguments arguments)
    {
        var values = new DictionaryValue();
        if (arguments.Positional.Count > 1)
            throw new ChatTemplateException("dict() takes one value and names");
        foreach (var source in arguments.Positional)
        {
            if (source is DictionaryValue dictionary)
            {
                foreach (var (key, value) in dictionary.Items)
                    values.Set(key, value);
                continue;
            }
            foreach (var pair in Iteration.Over(source))
            {
                if (Iteration.Over(pair).Take(3).ToList() is not [var key, var value])
                    throw new ChatTemplateException("dict() needs pairs");
                values.Set(key, value);
            }
        }
        foreach (var (name, value) in arguments.Named)
            values.Set(name, value);
        return values;
    }

    private static ObjectValue Cycler(Arguments arguments)
    {
        var items = arguments.Positional.Count > 0 ? arguments.Positional : throw new ChatTemplateException("cycler() needs values");
        var index = 0;
        return new("Cycler", name => name switch
        {
            "current" => (true, items[index]),
            "next" => (true, new CallableValue("method", name, _ =>
            {
                var current = items[index];
                index = (index + 1) % items.Count;
                return current;
            })),
            "reset" => (true, new CallableValue("method", name, _ =>
            {
                index = 0;
                return null;
            })),
            _ => default,
        });
    }

    private static ObjectValue Joiner(Arguments arguments)
    {
        var separator = arguments.Bind("joiner", 0, "sep").Text(0, ", ");
        var isUsed = false;
        return new("Joiner", _ => default, _ =>
        {
            var text = isUsed ? separator : "";
            isUsed = true;
            return text;
        });
    }
}
