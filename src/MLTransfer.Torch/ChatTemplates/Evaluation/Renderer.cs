using System.Numerics;
using MLTransfer.Torch.ChatTemplates.Syntax;
using MLTransfer.Torch.ChatTemplates.Values;

namespace MLTransfer.Torch.ChatTemplates.Evaluation;

/// <summary>Carries out statements.</summary>
internal sealed class Renderer
{
    private enum Flow
    {
        Next,
        Break,
        Continue,
    }

    private readonly Evaluator _evaluator;
    private readonly OutputText _output;

    public Renderer()
    {
        var marked = new MarkedTexts();
        (_evaluator, _output) = (new Evaluator(marked), new OutputText(marked));
    }

    public int Line => _evaluator.Line;

    public OutputText Output => _output;

    public void Render(Block template, Scope variables) => Run(template, variables);

    private Flow Run(Block block, Scope scope)
    {
        foreach (var statement in block.Statements)
        {
            _evaluator.Budget.Enter();
            _evaluator.Line = statement.Line;
            var flow = Run(statement, scope);
            _evaluator.Budget.Leave();
            if (flow != Flow.Next)
                return flow;
        }
        return Flow.Next;
    }

    private Flow Run(Statement statement, Scope scope)
    {
        switch (statement)
        {
            case TextOutput text:
                _output.Write(text.Text);
                break;
            case ValueOutput output:
                Write(_evaluator.Evaluate(output.Value, scope));
                break;
            case IfStatement condition:
                return Run(Truth.Of(_evaluator.Evaluate(condition.Test, scope)) ? condition.Then : condition.Else, scope);
            case ForStatement loop:
                RunLoop(loop, _evaluator.Evaluate(loop.Items, scope), scope, depth: 1);
                break;
            case LoopExit exit:
                return exit.IsContinue ? Flow.Continue : Flow.Break;
            case Assignment assignment:
                Assign(assignment.Target, _evaluator.Evaluate(assignment.Value, scope), scope);
                break;
            case BlockAssignment assignment:
                var captured = Capture(assignment.Body, new(scope));
                Assign(assignment.Target, assignment.Filter is { } filter ? _evaluator.ApplyFilters(filter, captured, scope) : captured,
                    scope);
                break;
            case MacroDefinition macro:
                scope.Set(macro.Name, Macro(macro.Name, macro.Macro, scope));
                break;
            case CallBlock call:
                RunCall(call, scope);
                break;
            case FilterBlock block:
                Write(_evaluator.ApplyFilters(block.Filter, Capture(block.Body, new(scope)), scope));
                break;
            case WithBlock with:
                return RunWith(with, scope);
            case NamedBlock block:
                return Run(block.Body, new(scope.Root));
            case EscapingBlock block:
                return RunEscaping(block, scope);
            case GenerationBlock generation:
                _output.Generate(generation.Line, () => Run(generation.Body, new(scope)));
                break;
        }
        return Flow.Next;
    }

    private void Write(object? value) =>
        _output.Write(_evaluator.Escapes && value is not SafeText ? SafeText.Escape(Texts.Write(value)) : Texts.Write(value));

    private object Capture(Block body, Scope scope)
    {
        var text = _output.Capture(() => Run(body, scope));
        return _evaluator.Escapes ? new SafeText(text) : text;
    }

    private Flow RunWith(WithBlock with, Scope scope)
    {
        var inner = new Scope(scope);
        foreach (var (target, value) in with.Values)
            Assign(target, _evaluator.Evaluate(value, scope), inner);
        return Run(with.Body, inner);
    }

    private Flow RunEscaping(EscapingBlock block, Scope scope)
    {
        var outer = _evaluator.Escapes;
        _evaluator.Escapes = Truth.Of(_evaluator.Evaluate(block.Enabled, scope));
        var flow = Run(block.Body, new(scope));
        _evaluator.Escapes = outer;
        return flow;
    }

    private void RunCall(CallBlock call, Scope scope)
    {
        var target = _evaluator.Evaluate(call.Call.Target, scope);
        var arguments = _evaluator.EvaluateArguments(call.Call.Arguments, scope, ("caller", Macro("caller", call.Caller, scope)));
        Write(_evaluator.Call(target, arguments, call.Line));
    }

    private void RunLoop(ForStatement statement, object? source, Scope scope, int depth)
    {
        var items = new List<(object? Value, Scope Scope)>();
        foreach (var item in Iteration.Over(source))
        {
            _evaluator.Budget.Make(1);
            var inner = new Scope(scope);
            Assign(statement.Target, item, inner);
            if (statement.Filter is null || Truth.Of(_evaluator.Evaluate(statement.Filter, inner)))
                items.Add((item, inner));
        }
        if (items.Count == 0)
        {
            Run(statement.Else, new(scope));
            return;
        }
        var loop = new LoopState([.. items.Select(item => item.Value)], depth);
        Func<Arguments, object?>? again = !statement.IsRecursive ? null : arguments =>
        {
            var nested = arguments.Bind("loop", 1, "items").Get(0);
            _evaluator.Budget.Enter();
            var text = _output.Capture(() => RunLoop(statement, nested, scope, depth + 1));
            _evaluator.Budget.Leave();
            return text;
        };
        var value = new ObjectValue("LoopContext", loop.Attribute, again);
        for (; loop.Index < items.Count; loop.Index++)
        {
            var inner = items[loop.Index].Scope;
            inner.Set("loop", value);
            if (Run(statement.Body, inner) == Flow.Break)
                return;
        }
    }

    private void Assign(Target target, object? value, Scope scope)
    {
        switch (target)
        {
            case NameTarget name:
                scope.Set(name.Name, value);
                break;
            case NamespaceTarget attribute:
                var space = scope.TryGet(attribute.Name, out var found) ? found as NamespaceValue : null;
                (space ?? throw new ChatTemplateException($"'{attribute.Name}' is no namespace: its attributes cannot be set"))
                    .Attributes.Set(attribute.Attribute, value);
                break;
            case TupleTarget tuple:
                var items = value is Undefined undefined ? throw undefined.Error() : Iteration.ToList(_evaluator.Budget, value);
                if (items.Count != tuple.Items.Count)
                    throw new ChatTemplateException($"{items.Count} values cannot be given to {tuple.Items.Count} variables");
                for (var index = 0; index < items.Count; index++)
                    Assign(tuple.Items[index], items[index], scope);
                break;
        }
    }

    private CallableValue Macro(string name, MacroBody macro, Scope scope) => new(
        "Macro", name, arguments => CallMacro(name, macro, scope, arguments), new Dictionary<string, object?>
        {
            ["name"] = name,
            ["arguments"] = new TupleValue([.. macro.Parameters]),
            ["catch_varargs"] = macro.TakesMore,
            ["catch_kwargs"] = macro.TakesMoreNamed,
            ["caller"] = macro.TakesCaller,
        });

    private object CallMacro(string name, MacroBody macro, Scope definition, Arguments arguments)
    {
        var scope = new Scope(definition);
        var named = new Dictionary<string, object?>(arguments.Named);
        var firstDefault = macro.Parameters.Count - macro.Defaults.Count;
        for (var index = 0; index < macro.Parameters.Count; index++)
        {
            var parameter = macro.Parameters[index];
            if (index < arguments.Positional.Count)
            {
                if (named.ContainsKey(parameter))
                    throw new ChatTemplateException($"the macro '{name}' gets its argument '{parameter}' twice");
                scope.Set(parameter, arguments.Positional[index]);
            }
            else if (named.Remove(parameter, out var value))
                scope.Set(parameter, value);
            else
                scope.Set(parameter, index < firstDefault ? new Undefined($"the argument '{parameter}' of the macro '{name}' is not given")
                    : _evaluator.Evaluate(macro.Defaults[index - firstDefault], scope));
        }
        if (macro.TakesCaller && !macro.Parameters.Contains("caller"))
            scope.Set("caller", named.Remove("caller", out var caller) ? caller : new Undefined("there is no caller: use a call block"));
        SetRest(name, macro, arguments, named, scope);
        _evaluator.Budget.Enter();
        var text = Capture(macro.Body, scope);
        _evaluator.Budget.Leave();
        return text;
    }

    private static void SetRest(string name, MacroBody macro, Arguments arguments, Dictionary<string, object?> named, Scope scope)
    {
        if (macro.TakesMoreNamed)
        {
            var rest = new DictionaryValue();
            foreach (var (key, value) in named)
                rest.Set(key, value);
            scope.Set("kwargs", rest);
        }
        else if (named.Count > 0)
            throw new ChatTemplateException($"the macro '{name}' takes no argument '{named.Keys.First()}'");
        if (macro.TakesMore)
            scope.Set("varargs", new TupleValue([.. arguments.Positional.Skip(macro.Parameters.Count)]));
        else if (arguments.Positional.Count > macro.Parameters.Count)
            throw new ChatTemplateException($"the macro '{name}' takes not more than {macro.Parameters.Count} arguments");
    }

    private sealed class LoopState(IReadOnlyList<object?> items, int depth)
    {
        private object? _last = new();

        public int Index { get; set; }

        public (bool Found, object? Value) Attribute(string name) => name switch
        {
            "index" => (true, new BigInteger(Index + 1)),
            "index0" => (true, new BigInteger(Index)),
            "revindex" => (true, new BigInteger(items.Count - Index)),
            "revindex0" => (true, new BigInteger(items.Count - Index - 1)),
            "first" => (true, Index == 0),
            "last" => (true, Index == items.Count - 1),
            "length" => (true, new BigInteger(items.Count)),
            "depth" => (true, new BigInteger(depth)),
            "depth0" => (true, new BigInteger(depth - 1)),
            "previtem" => (true, Index > 0 ? items[Index - 1] : new Undefined("there is no previous item")),
            "nextitem" => (true, Index + 1 < items.Count ? items[Index + 1] : new Undefined("there is no next item")),
            "cycle" => (true, new CallableValue("method", name, arguments => arguments.Positional.Count > 0
                ? arguments.Positional[Index % arguments.Positional.Count] : throw new ChatTemplateException("cycle() needs values"))),
            "changed" => (true, new CallableValue("method", name, arguments => HasChanged(arguments))),
            _ => default,
        };

        private bool HasChanged(Arguments arguments)
        {
            var value = new TupleValue(arguments.Positional);
            var changed = !Equality.AreEqual(value, _last);
            _last = value;
            return changed;
        }
    }
}
