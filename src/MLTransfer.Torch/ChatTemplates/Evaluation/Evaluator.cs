using MLTransfer.Torch.ChatTemplates.Syntax;
using MLTransfer.Torch.ChatTemplates.Values;

namespace MLTransfer.Torch.ChatTemplates.Evaluation;

/// <summary>Values of expressions.</summary>
internal sealed class Evaluator(MarkedTexts marked)
{
    public Budget Budget { get; } = new();

    /// <summary>The line that is evaluated.</summary>
    public int Line { get; set; }

    /// <summary>Whether what is written is escaped for HTML, as within <c>autoescape true</c>.</summary>
    public bool Escapes { get; set; }

    public object? Evaluate(Expression expression, Scope scope)
    {
        Budget.Enter();
        Line = expression.Line;
        var value = expression switch
        {
            Constant constant => constant.Value,
            NameReference name => scope.TryGet(name.Name, out var variable) ? variable : new Undefined($"'{name.Name}' is undefined"),
            AttributeAccess access => Members.Attribute(Budget, Evaluate(access.Target, scope), access.Name),
            ItemAccess access => Members.Item(Budget, Evaluate(access.Target, scope), Evaluate(access.Index, scope)),
            SliceAccess slice => Operators.Slice(
                Budget, Evaluate(slice.Target, scope), Optional(slice.Start, scope), Optional(slice.Stop, scope),
                    Optional(slice.Step, scope)),
            Binary binary => Calculate(binary.Operator, Evaluate(binary.Left, scope), Evaluate(binary.Right, scope)),
            Concatenation concatenation => Concatenate(concatenation, scope),
            Comparison comparison => Compare(comparison, scope),
            Logical logical => Evaluate(logical.Left, scope) is var left && Truth.Of(left) == logical.IsAnd
                ? Evaluate(logical.Right, scope) : left,
            Unary { Operator: "not" } unary => !Truth.Of(Evaluate(unary.Operand, scope)),
            Unary unary => Operators.Negate(unary.Operator == "-"
                ? Evaluate(unary.Operand, scope) : Operators.Negate(Evaluate(unary.Operand, scope))),
            Conditional conditional => Truth.Of(Evaluate(conditional.Test, scope)) ? Evaluate(conditional.Then, scope)
                : conditional.Else is { } otherwise ? Evaluate(otherwise, scope)
                : new Undefined("the condition is false and there is no 'else'"),
            FilterUse filter => Filter(filter, Evaluate(filter.Target!, scope), scope),
            TestUse test => Test(test, scope),
            Call call => Call(Evaluate(call.Target, scope), EvaluateArguments(call.Arguments, scope), call.Line),
            ListLiteral list => new ListValue([.. list.Items.Select(item => Evaluate(item, scope))]),
            TupleLiteral tuple => new TupleValue([.. tuple.Items.Select(item => Evaluate(item, scope))]),
            DictionaryLiteral dictionary => Dictionary(dictionary, scope),
            _ => throw new InvalidOperationException($"{expression.GetType().Name} has no evaluation."),
        };
        Budget.Leave();
        return value;
    }

    public Arguments EvaluateArguments(CallArguments arguments, Scope scope, (string Name, object? Value)? extra = null)
    {
        if (arguments == CallArguments.None && extra is null)
            return Arguments.None;
        List<object?> positional = [.. arguments.Positional.Select(argument => Evaluate(argument, scope))];
        if (arguments.Rest is { } rest)
            positional.AddRange(Iteration.ToList(Budget, Evaluate(rest, scope)));
        var named = new Dictionary<string, object?>();
        foreach (var (name, argument) in arguments.Named)
            named[name] = Evaluate(argument, scope);
        if (arguments.NamedRest is { } namedRest)
        {
            var values = Evaluate(namedRest, scope) as DictionaryValue ?? throw new ChatTemplateException("'**' needs a dictionary");
            foreach (var (key, value) in values.Items)
                named[Texts.TryGet(key) ?? throw new ChatTemplateException("the keys behind '**' are texts")] = value;
        }
        if (extra is { } added)
            named[added.Name] = added.Value;
        return new(positional, named);
    }

    public object? Call(object? target, Arguments arguments, int line)
    {
        Line = line;
        return target switch
        {
            CallableValue callable => callable.Invoke(arguments),
            ObjectValue { Call: { } call } => call(arguments),
            Undefined undefined => throw undefined.Error(),
            _ => throw new ChatTemplateException($"a value of type '{TypeName.Of(target)}' cannot be called"),
        };
    }

    /// <summary>Filters of a block's text, from the innermost on.</summary>
    public object? ApplyFilters(FilterUse filter, object? value, Scope scope) =>
        Filter(filter, filter.Target is FilterUse inner ? ApplyFilters(inner, value, scope) : value, scope);

    private object? Filter(FilterUse filter, object? value, Scope scope)
    {
        var arguments = EvaluateArguments(filter.Arguments, scope);
        Line = filter.Line;
        var result = Filters.Get(filter.Name)(this, value, arguments);
        if (filter.Name == "trim" && Texts.TryGet(value) is { } text && Texts.TryGet(result) is { } trimmed)
            marked.Trim(text, trimmed);
        return result;
    }

    private object? Calculate(string operation, object? left, object? right)
    {
        var result = Operators.Apply(Budget, operation, left, right);
        if (operation == "+" && left is string first && right is string second)
            marked.Join((string)result!, [first, second]);
        return result;
    }

    private bool Test(TestUse test, Scope scope)
    {
        var value = Evaluate(test.Target, scope);
        var arguments = EvaluateArguments(test.Arguments, scope);
        Line = test.Line;
        return Tests.Get(test.Name)(Budget, value, arguments);
    }

    private object? Optional(Expression? expression, Scope scope) => expression is null ? null : Evaluate(expression, scope);

    private object Concatenate(Concatenation concatenation, Scope scope)
    {
        List<object?> values = [.. concatenation.Items.Select(item => Evaluate(item, scope))];
        var isSafe = Escapes && values.Any(value => value is SafeText);
        List<string> texts =
            [.. values.Select(value => isSafe && value is not SafeText ? SafeText.Escape(Texts.Write(value)) : Texts.Write(value))];
        Budget.Make(texts.Sum(text => (long)text.Length));
        var joined = string.Concat(texts);
        marked.Join(joined, texts);
        return isSafe ? new SafeText(joined) : joined;
    }

    private bool Compare(Comparison comparison, Scope scope)
    {
        var left = Evaluate(comparison.First, scope);
        foreach (var (operation, operand) in comparison.Rest)
        {
            var right = Evaluate(operand, scope);
            var holds = operation switch
            {
                "==" => Equality.AreEqual(left, right),
                "!=" => !Equality.AreEqual(left, right),
                "in" => Iteration.Contains(Budget, right, left),
                "not in" => !Iteration.Contains(Budget, right, left),
                _ => Tests.Orders(operation, left, right),
            };
            if (!holds)
                return false;
            left = right;
        }
        return true;
    }

    private DictionaryValue Dictionary(DictionaryLiteral literal, Scope scope)
    {
        var dictionary = new DictionaryValue();
        foreach (var (key, value) in literal.Items)
            dictionary.Set(Evaluate(key, scope), Evaluate(value, scope));
        return dictionary;
    }
}
