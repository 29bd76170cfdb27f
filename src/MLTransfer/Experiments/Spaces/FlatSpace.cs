namespace MLTransfer.Experiments.Spaces;

/// <summary>
/// A search space as a row of dimensions. A point of it is a number for each: the value, the number of a choice, or NaN where a dimension
/// means nothing there.
/// </summary>
internal sealed class FlatSpace
{
    private readonly List<Dimension> _dimensions = [];

    /// <exception cref="ArgumentException">A condition names no choice of its space, or conditions go in a circle.</exception>
    public FlatSpace(SearchSpace space)
    {
        Add(space, [], []);
        Order = Sort();
        var groups = new List<(string Key, List<int> Members)>();
        foreach (var i in Order)
        {
            var key = string.Join(';', this[i].Conditions.Select(c => $"{c.Parent}:{string.Concat(c.IsAllowed.Select(a => a ? 1 : 0))}"));
            if (groups.Find(group => group.Key == key).Members is { } members)
                members.Add(i);
            else
                groups.Add((key, [i]));
        }

        Groups = [.. groups.Select(group => group.Members.Order().ToArray())];
    }

    public int Count => _dimensions.Count;

    public Dimension this[int index] => _dimensions[index];

    /// <summary>The dimensions, each after those that its conditions name.</summary>
    public IReadOnlyList<int> Order { get; }

    /// <summary>Dimensions that always mean something together, those first that others depend on.</summary>
    public IReadOnlyList<int[]> Groups { get; }

    /// <summary>Where a search begins.</summary>
    public double[] Default
    {
        get
        {
            var point = new double[Count];
            for (var i = 0; i < Count; i++)
                point[i] = this[i].Option.DefaultValue;
            LeaveOutInactive(point);
            return point;
        }
    }

    /// <summary>Whether a dimension means anything where those that it depends on have their values.</summary>
    public bool IsActive(int index, ReadOnlySpan<double> point)
    {
        foreach (var (parent, isAllowed) in _dimensions[index].Conditions)
        {
            if (!(point[parent] is var choice && choice >= 0 && isAllowed[(int)choice]))
                return false; // NaN too
        }

        return true;
    }

    /// <summary>Puts NaN where a dimension means nothing.</summary>
    public void LeaveOutInactive(Span<double> point)
    {
        foreach (var i in Order)
        {
            if (!IsActive(i, point))
                point[i] = double.NaN;
        }
    }

    public Parameter ToParameter(ReadOnlySpan<double> point)
    {
        var result = Parameter.CreateNestedParameter();
        for (var i = 0; i < Count; i++)
        {
            if (double.IsNaN(point[i]))
                continue;
            var holder = result;
            var path = _dimensions[i].Path;
            for (var level = 0; level < path.Count - 1; level++)
            {
                if (!holder.TryGetValue(path[level], out var inner))
                    holder[path[level]] = inner = Parameter.CreateNestedParameter();
                holder = inner;
            }

            holder[path[^1]] = _dimensions[i].Option.ToParameter(point[i]);
        }

        return result;
    }

    /// <exception cref="ArgumentException">A value is outside of its option; the message names it.</exception>
    public double[] FromParameter(Parameter parameter)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        var point = new double[Count];
        for (var i = 0; i < Count; i++)
        {
            var value = parameter;
            foreach (var name in _dimensions[i].Path)
                value = value?.ParameterType == ParameterType.Object && value.TryGetValue(name, out var inner) ? inner : null;
            try
            {
                point[i] = value is null ? double.NaN : _dimensions[i].Option.FromParameter(value);
            }
            catch (ArgumentException exception)
            {
                throw new ArgumentException($"{_dimensions[i].Name}: {exception.Message}", nameof(parameter), exception);
            }
        }

        LeaveOutInactive(point);
        return point;
    }

    private void Add(SearchSpace space, IReadOnlyList<string> path, IReadOnlyList<(int Parent, bool[] IsAllowed)> outer)
    {
        // Conditions name options of the same space, which may come later: their places are counted first.
        var places = new Dictionary<string, int>();
        var next = _dimensions.Count;
        foreach (var (name, option) in space)
        {
            places[name] = next;
            next += option.FeatureSpaceDim;
        }

        foreach (var (name, option) in space)
        {
            IReadOnlyList<string> inner = [.. path, name];
            // What an option of the same space depends on is left out where that is.
            var conditions = option.Conditions.Count == 0 ? outer
                : [.. option.Conditions.Select(condition => (places.GetValueOrDefault(condition.Option), Allowed(condition, inner)))];
            if (option is SearchSpace nested)
                Add(nested, inner, conditions);
            else
                _dimensions.Add(new Dimension(inner, (LeafOption)option, conditions));
        }

        bool[] Allowed(OptionCondition condition, IReadOnlyList<string> of)
        {
            if (!space.TryGetValue(condition.Option, out var parent) || parent is not ChoiceOption choice)
            {
                throw new ArgumentException(
                    $"'{string.Join('.', of)}' depends on '{condition.Option}', which is no choice of the same space.");
            }

            var allowed = new bool[choice.Choices.Count];
            foreach (var value in condition.Values)
                allowed[(int)choice.FromParameter(value)] = true;
            return allowed;
        }
    }

    private List<int> Sort()
    {
        var order = new List<int>(Count);
        var isPlaced = new bool[Count];
        while (order.Count < Count)
        {
            var before = order.Count;
            for (var i = 0; i < Count; i++)
            {
                if (!isPlaced[i] && _dimensions[i].Conditions.All(condition => isPlaced[condition.Parent]))
                {
                    isPlaced[i] = true;
                    order.Add(i);
                }
            }

            if (order.Count == before)
            {
                var circle = _dimensions.Where((_, i) => !isPlaced[i]).Select(dimension => dimension.Name);
                throw new ArgumentException($"The conditions of {string.Join(", ", circle)} go in a circle.");
            }
        }

        return order;
    }
}
