using System.Collections;
using System.Diagnostics.CodeAnalysis;
using MLTransfer.Experiments.Spaces;

namespace MLTransfer.Experiments;

/// <summary>Options by name: what an experiment searches through. A space may be an option of another one.</summary>
[SuppressMessage("Naming", "CA1710", Justification = "Called as ML.NET calls it.")]
public class SearchSpace : OptionBase, IDictionary<string, OptionBase>
{
    private readonly OrderedDictionary<string, OptionBase> _options;

    /// <param name="options">Options by name.</param>
    public SearchSpace(params KeyValuePair<string, OptionBase>[] options) =>
        _options = new OrderedDictionary<string, OptionBase>(options);

    /// <inheritdoc/>
    public int Count => _options.Count;

    /// <inheritdoc/>
    public bool IsReadOnly => false;

    /// <inheritdoc/>
    public ICollection<string> Keys => _options.Keys;

    /// <inheritdoc/>
    public ICollection<OptionBase> Values => _options.Values;

    /// <inheritdoc/>
    public override int FeatureSpaceDim => _options.Values.Sum(option => option.FeatureSpaceDim);

    /// <inheritdoc/>
    public override double[] Default => [.. _options.Values.SelectMany(option => option.Default)];

    /// <inheritdoc/>
    public override int?[] Step => [.. _options.Values.SelectMany(option => option.Step)];

    /// <inheritdoc/>
    public OptionBase this[string key]
    {
        get => _options[key];
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            _options[key] = value;
        }
    }

    /// <inheritdoc/>
    /// <remarks>Options whose conditions do not hold are left out.</remarks>
    public override Parameter SampleFromFeatureSpace(double[] values)
    {
        CheckLength(values, FeatureSpaceDim);
        var space = new FlatSpace(this);
        var chosen = new double[values.Length];
        for (var i = 0; i < chosen.Length; i++)
            chosen[i] = space[i].Domain.FromUnit(values[i]);
        space.LeaveOutInactive(chosen);
        return space.ToParameter(chosen);
    }

    /// <inheritdoc/>
    /// <remarks>What is left out is where its default is.</remarks>
    public override double[] MappingToFeatureSpace(Parameter parameter)
    {
        var space = new FlatSpace(this);
        var values = space.FromParameter(parameter);
        return [.. Default.Select((unit, i) => double.IsNaN(values[i]) ? unit : space[i].Domain.ToUnit(values[i]))];
    }

    /// <inheritdoc/>
    public void Add(string key, OptionBase value)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(key);
        ArgumentNullException.ThrowIfNull(value);
        _options.Add(key, value);
    }

    /// <inheritdoc/>
    public bool ContainsKey(string key) => _options.ContainsKey(key);

    /// <inheritdoc/>
    public bool Remove(string key) => _options.Remove(key);

    /// <inheritdoc/>
    public bool TryGetValue(string key, [MaybeNullWhen(false)] out OptionBase value) => _options.TryGetValue(key, out value);

    /// <inheritdoc/>
    public void Clear() => _options.Clear();

    void ICollection<KeyValuePair<string, OptionBase>>.Add(KeyValuePair<string, OptionBase> item) => Add(item.Key, item.Value);

    bool ICollection<KeyValuePair<string, OptionBase>>.Contains(KeyValuePair<string, OptionBase> item) => _options.Contains(item);

    void ICollection<KeyValuePair<string, OptionBase>>.CopyTo(KeyValuePair<string, OptionBase>[] array, int arrayIndex) =>
        ((ICollection<KeyValuePair<string, OptionBase>>)_options).CopyTo(array, arrayIndex);

    bool ICollection<KeyValuePair<string, OptionBase>>.Remove(KeyValuePair<string, OptionBase> item) =>
        ((ICollection<KeyValuePair<string, OptionBase>>)_options).Remove(item);

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, OptionBase>> GetEnumerator() => _options.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
