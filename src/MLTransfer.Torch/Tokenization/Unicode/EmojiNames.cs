using System.Globalization;
using System.Text;

namespace MLTransfer.Torch.Tokenization.Unicode;

/// <summary>The English names of emoji, by their sequences of code points: a tree with a code point at each edge.</summary>
internal sealed class EmojiNames
{
    private static readonly Lazy<EmojiNames> s_root = new(Read);

    private readonly Dictionary<int, EmojiNames> _next = [];

    private EmojiNames()
    {
    }

    /// <summary>The tree of all.</summary>
    public static EmojiNames Root => s_root.Value;

    /// <summary>The name of the sequence that ends here, such as <c>red_heart</c>; null where none does.</summary>
    public string? Name { get; private set; }

    /// <summary>Where a code point leads; null for nowhere.</summary>
    public EmojiNames? Next(int codePoint) => _next.GetValueOrDefault(codePoint);

    /// <summary>Whether a sequence has a name.</summary>
    public static bool Has(ReadOnlySpan<int> sequence)
    {
        var place = Root;
        foreach (int codePoint in sequence)
        {
            if (place.Next(codePoint) is not { } next)
                return false;
            place = next;
        }

        return place.Name is not null;
    }

    /// <summary>Whether a code point changes an emoji before it: a tone of skin, or hair.</summary>
    public static bool IsComponent(int codePoint) => codePoint is (>= 0x1F3FB and <= 0x1F3FF) or (>= 0x1F9B0 and <= 0x1F9B3);

    private static EmojiNames Read()
    {
        using Stream stream = typeof(EmojiNames).Assembly.GetManifestResourceStream("MLTransfer.Torch.Unicode.emoji.txt")!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var root = new EmojiNames();
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith("# ", StringComparison.Ordinal))
                continue;
            string[] parts = line.Split(' ');
            foreach (string sequence in parts.AsSpan(1))
            {
                var place = root;
                foreach (string codePoint in sequence.Split('-'))
                {
                    int value = int.Parse(codePoint, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                    if (!place._next.TryGetValue(value, out var next))
                        place._next.Add(value, next = new EmojiNames());
                    place = next;
                }

                place.Name = parts[0];
            }
        }

        return root;
    }
}
