using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace MLTransfer.Torch.Tokenization.Unicode;

/// <summary>Properties of Unicode code points as sets: general categories by .NET, the others by <c>properties.txt</c>.</summary>
internal static class UnicodeProperties
{
    private static readonly Lazy<Dictionary<string, Dictionary<string, string[]>>> s_words = new(ReadWords);
    private static readonly Lazy<Dictionary<string, Dictionary<string, CodePointSet>>> s_tables = new(ReadTables);
    private static readonly Lazy<CodePointSet[]> s_categories = new(CollectCategories);
    private static readonly Lazy<(int First, int Last, byte Class)[]> s_combiningClasses = new(CollectCombiningClasses);
    private static readonly ConcurrentDictionary<string, CodePointSet?> s_byName = new();
    private static readonly ConcurrentDictionary<int, CodePointSet> s_versions = new();

    private static readonly Dictionary<string, string> s_longCategoryNames = new()
    {
        ["letter"] = "l", ["casedletter"] = "lc", ["uppercaseletter"] = "lu", ["lowercaseletter"] = "ll", ["titlecaseletter"] = "lt",
        ["modifierletter"] = "lm", ["otherletter"] = "lo", ["mark"] = "m", ["combiningmark"] = "m", ["nonspacingmark"] = "mn",
        ["spacingmark"] = "mc", ["enclosingmark"] = "me", ["number"] = "n", ["decimalnumber"] = "nd", ["letternumber"] = "nl",
        ["othernumber"] = "no", ["punctuation"] = "p", ["connectorpunctuation"] = "pc", ["dashpunctuation"] = "pd",
        ["openpunctuation"] = "ps", ["closepunctuation"] = "pe", ["initialpunctuation"] = "pi", ["finalpunctuation"] = "pf",
        ["otherpunctuation"] = "po", ["symbol"] = "s", ["mathsymbol"] = "sm", ["currencysymbol"] = "sc", ["modifiersymbol"] = "sk",
        ["othersymbol"] = "so", ["separator"] = "z", ["spaceseparator"] = "zs", ["lineseparator"] = "zl",
        ["paragraphseparator"] = "zp", ["other"] = "c", ["control"] = "cc", ["format"] = "cf", ["surrogate"] = "cs",
        ["privateuse"] = "co", ["unassigned"] = "cn",
    };

    // In the order of UnicodeCategory.
    private static readonly string[] s_categoryNames =
    [
        "lu", "ll", "lt", "lm", "lo", "mn", "mc", "me", "nd", "nl", "no", "zs", "zl", "zp", "cc", "cf", "cs", "co", "pc", "pd", "ps",
        "pe", "pi", "pf", "po", "sm", "sc", "sk", "so", "cn",
    ];

    public static CodePointSet WhiteSpace { get; } = CodePointSet.Where(value => Rune.IsValid(value) && Rune.IsWhiteSpace(new Rune(value)));

    public static CodePointSet DecimalDigits => Category(UnicodeCategory.DecimalDigitNumber);

    /// <summary>Word characters of Oniguruma: alphabetic ones, marks, decimal digits and connecting punctuation.</summary>
    public static CodePointSet Word => field ??= ByName("Alphabetic")!.Union(ByName("M")!).Union(ByName("Nd")!).Union(ByName("Pc")!);

    /// <summary>Word characters of Oniguruma outside of classes, which take Latin-1 from a table of its own.</summary>
    public static CodePointSet LoneWord => field ??=
        Word.Union(CodePointSet.Of([(0xB2, 0xB3), (0xB9, 0xB9), (0xBC, 0xBE)]));

    public static CodePointSet Category(UnicodeCategory category) => s_categories.Value[(int)category];

    /// <summary>The set of a general category, a script or one of a few other properties; null for an unknown name.</summary>
    /// <param name="name">A short or long name; case, spaces, '-' and '_' do not matter.</param>
    public static CodePointSet? ByName(string name) => s_byName.GetOrAdd(Simplify(name), Find);

    /// <summary>The canonical combining class of a code point.</summary>
    public static byte CombiningClass(int codePoint)
    {
        if (codePoint < 0x300)
            return 0;
        (int First, int Last, byte Class)[] classes = s_combiningClasses.Value;
        int low = 0;
        int high = classes.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            if (codePoint < classes[middle].First)
                high = middle - 1;
            else if (codePoint > classes[middle].Last)
                low = middle + 1;
            else
                return classes[middle].Class;
        }

        return 0;
    }

    /// <summary>The scripts and their code points.</summary>
    public static IReadOnlyDictionary<string, CodePointSet> Scripts => s_tables.Value["Script"];

    /// <summary>The code points that a version of Unicode has: some stages of the reference know no later ones.</summary>
    public static CodePointSet OfVersion(int major) => s_versions.GetOrAdd(major, version => CodePointSet.Of(
        s_tables.Value["Age"].Where(age => int.Parse(age.Key, CultureInfo.InvariantCulture) <= version)
            .SelectMany(age => age.Value.Ranges)));

    /// <summary>Characters and their parts, of one of the tables of them.</summary>
    public static IEnumerable<(int Character, int[] Parts)> Equations(string table, string kind)
    {
        foreach (string equation in s_words.Value[table][kind])
        {
            int middle = equation.IndexOf('=');
            yield return (ParseCodePoint(equation[..middle]), [.. equation[(middle + 1)..].Split('+').Select(ParseCodePoint)]);
        }
    }

    private static CodePointSet? Find(string name)
    {
        if (s_longCategoryNames.TryGetValue(name, out string? category))
            name = category;
        if (Array.IndexOf(s_categoryNames, name) is >= 0 and var index)
            return s_categories.Value[index];
        if (name is "l" or "m" or "n" or "p" or "s" or "z" or "c")
            return Join(s_categoryNames.Where(member => member[0] == name[0]));

        return name switch
        {
            "lc" => Join(["lu", "ll", "lt"]),
            "any" => CodePointSet.All,
            "assigned" => ByName("cn")!.Complement(),
            "ascii" => CodePointSet.Of([(0, 0x7F)]),
            "alpha" or "alphabetic" => Alphabetic(),
            "lower" or "lowercase" => Table("Lowercase"),
            "upper" or "uppercase" => Table("Uppercase"),
            "digit" => DecimalDigits,
            "alnum" => Alphabetic().Union(DecimalDigits),
            "blank" => ByName("zs")!.Union(CodePointSet.Of('\t')),
            "cntrl" => ByName("cc"),
            "graph" => WhiteSpace.Union(Join(["cc", "cn", "cs"])).Complement(),
            "print" => WhiteSpace.Union(Join(["cc", "cn", "cs"])).Complement().Union(ByName("zs")!),
            "punct" => ByName("p")!.Union(CodePointSet.Of("$+<=>^`|~".Select(character => ((int)character, (int)character)))),
            "space" or "whitespace" => WhiteSpace,
            "word" => Word,
            "xdigit" => CodePointSet.Of([('0', '9'), ('a', 'f'), ('A', 'F')]),
            _ => Scripts.FirstOrDefault(script => Simplify(script.Key) == name).Value,
        };
    }

    private static CodePointSet Join(IEnumerable<string> names) =>
        CodePointSet.Of(names.SelectMany(name => s_categories.Value[Array.IndexOf(s_categoryNames, name)].Ranges));

    /// <summary>Letters and letter-like numbers as .NET knows them, which may be more, and what the table has beside.</summary>
    private static CodePointSet Alphabetic() => Table("Alphabetic").Union(ByName("l")!).Union(ByName("nl")!);

    private static CodePointSet Table(string property) => s_tables.Value[property]["Yes"];

    private static string Simplify(string name) =>
        string.Concat(name.Where(character => character is not (' ' or '-' or '_'))).ToLowerInvariant();

    private static CodePointSet[] CollectCategories()
    {
        var ranges = new List<(int First, int Last)>[s_categoryNames.Length];
        for (int i = 0; i < ranges.Length; i++)
            ranges[i] = [];
        for (int value = 0; value <= CodePointSet.MaximumCodePoint; value++)
        {
            List<(int First, int Last)> members = ranges[(int)CharUnicodeInfo.GetUnicodeCategory(value)];
            if (members.Count > 0 && members[^1].Last == value - 1)
                members[^1] = (members[^1].First, value);
            else
                members.Add((value, value));
        }

        return [.. ranges.Select(CodePointSet.Of)];
    }

    private static (int, int, byte)[] CollectCombiningClasses() =>
    [
        .. s_tables.Value["Canonical_Combining_Class"]
            .SelectMany(entry => entry.Value.Ranges.Select(range =>
                (range.First, range.Last, byte.Parse(entry.Key, CultureInfo.InvariantCulture)))).Order(),
    ];

    private static Dictionary<string, Dictionary<string, CodePointSet>> ReadTables() => s_words.Value
        .Where(table => table.Key is not ("Decomposition" or "Composition" or "Case"))
        .ToDictionary(table => table.Key, table => table.Value.ToDictionary(
            value => value.Key, value => CodePointSet.Of(value.Value.Select(ParseRange))));

    private static Dictionary<string, Dictionary<string, string[]>> ReadWords()
    {
        var tables = new Dictionary<string, Dictionary<string, string[]>>();
        using Stream stream = typeof(UnicodeProperties).Assembly.GetManifestResourceStream("MLTransfer.Torch.Unicode.properties.txt")!;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is string line)
        {
            if (line.StartsWith('#'))
                continue;
            string[] words = line.Split(' ');
            if (!tables.TryGetValue(words[0], out Dictionary<string, string[]>? values))
                tables.Add(words[0], values = []);
            values.Add(words[1], words[2..]);
        }

        return tables;
    }

    private static (int, int) ParseRange(string range)
    {
        string[] bounds = range.Split('-');
        return (ParseCodePoint(bounds[0]), ParseCodePoint(bounds[^1]));
    }

    private static int ParseCodePoint(string digits) => int.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
