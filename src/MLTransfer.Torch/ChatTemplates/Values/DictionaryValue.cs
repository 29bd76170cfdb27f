namespace MLTransfer.Torch.ChatTemplates.Values;

/// <summary>A dictionary in the order of its keys' first writing; 1, 1.0 and true are one key.</summary>
internal sealed class DictionaryValue
{
    private readonly OrderedDictionary<Key, object?> _items = [];

    public int Count => _items.Count;

    public IEnumerable<object?> Keys => _items.Keys.Select(key => key.Value);

    public IEnumerable<object?> Values => _items.Values;

    public IEnumerable<(object? Key, object? Value)> Items => _items.Select(item => (item.Key.Value, item.Value));

    public bool TryGet(object? key, out object? value) => _items.TryGetValue(new(key), out value);

    public bool Contains(object? key) => _items.ContainsKey(new(key));

    public void Set(object? key, object? value) => _items[new(key)] = value;

    private readonly struct Key(object? value) : IEquatable<Key>
    {
        public object? Value => value;

        public bool Equals(Key other) => Equality.AreEqual(value, other.Value);

        public override bool Equals(object? obj) => obj is Key other && Equals(other);

        public override int GetHashCode() => Equality.Hash(value);
    }
}
