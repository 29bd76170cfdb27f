using System.Numerics;

namespace MLTransfer.Torch.Tokenization.Models;

/// <summary>Texts with a number each, found at the beginning of a text unit by unit: a trie whose edges lie in one hash table.</summary>
internal sealed class CharacterTrie
{
    private const int Root = 1;
    private const int None = -1;

    private readonly List<int> _values = [None, None]; // by node; nodes count from the root, 1
    private ulong[] _keys = new ulong[64];             // node and unit; 0: free
    private int[] _nodes = new int[64];
    private int _count;

    /// <summary>The number of units of the longest text.</summary>
    public int LongestText { get; private set; }

    /// <summary>Adds a text; of one that is added twice the later number counts.</summary>
    public void Add(ReadOnlySpan<char> text, int value)
    {
        int node = Root;
        foreach (char unit in text)
        {
            ulong key = Key(node, unit);
            int slot = SlotOf(key);
            if (_keys[slot] == 0)
            {
                if (2 * ++_count > _keys.Length)
                {
                    Grow();
                    slot = SlotOf(key);
                }

                _keys[slot] = key;
                _nodes[slot] = _values.Count;
                _values.Add(None);
            }

            node = _nodes[slot];
        }

        _values[node] = value;
        LongestText = Math.Max(LongestText, text.Length);
    }

    /// <summary>The longest text that another begins with.</summary>
    /// <returns>Its number of units and its number, or (0, -1).</returns>
    public (int Length, int Value) FindLongest(ReadOnlySpan<char> text)
    {
        (int Length, int Value) found = (0, None);
        Walk walk = Begin();
        for (int i = 0; i < text.Length && walk.Step(text[i]); i++)
        {
            if (walk.Value != None)
                found = (i + 1, walk.Value);
        }

        return found;
    }

    /// <summary>A walk from the root.</summary>
    public Walk Begin() => new(this);

    private int SlotOf(ulong key)
    {
        int mask = _keys.Length - 1;
        int slot = (int)((key * 0x9E3779B97F4A7C15) >> (64 - BitOperations.Log2((uint)_keys.Length)));
        while (_keys[slot] != 0 && _keys[slot] != key)
            slot = (slot + 1) & mask;
        return slot;
    }

    private void Grow()
    {
        (ulong[] keys, int[] nodes) = (_keys, _nodes);
        _keys = new ulong[2 * keys.Length];
        _nodes = new int[2 * keys.Length];
        for (int i = 0; i < keys.Length; i++)
        {
            if (keys[i] == 0)
                continue;
            int slot = SlotOf(keys[i]);
            (_keys[slot], _nodes[slot]) = (keys[i], nodes[i]);
        }
    }

    private static ulong Key(int node, char unit) => ((ulong)(uint)node << 16) | unit;

    /// <summary>Goes down a trie unit by unit.</summary>
    public struct Walk(CharacterTrie trie)
    {
        private int _node = Root;

        /// <summary>The number of the text that ends here, or -1.</summary>
        public readonly int Value => trie._values[_node];

        /// <summary>Takes a unit; false if no text goes on with it.</summary>
        public bool Step(char unit)
        {
            int slot = trie.SlotOf(Key(_node, unit));
            if (trie._keys[slot] == 0)
                return false;
            _node = trie._nodes[slot];
            return true;
        }
    }
}
