namespace MakeVoiceModel;

/// <summary>Short sentences by a simple grammar, with numbers: <c>seven small cats sleep on the red chair</c>.</summary>
internal static class Sentences
{
    private static readonly string[] s_numbers =
    [
        "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "twenty", "thirty", "forty",
        "fifty", "sixty", "seventy", "eighty", "ninety",
    ];

    private static readonly string[] s_adjectives =
    [
        "small", "big", "red", "green", "blue", "old", "young", "quick", "happy", "quiet", "warm", "cold", "brave", "dark", "bright",
        "heavy", "clever", "lazy", "gentle", "strange", "yellow", "busy",
    ];

    private static readonly string[] s_nouns =
    [
        "cat", "dog", "bird", "horse", "sailor", "doctor", "king", "queen", "farmer", "teacher", "child", "fox", "river", "garden", "house",
        "bridge", "mountain", "village", "forest", "window", "table", "chair", "wagon", "letter", "piano", "kitchen", "jacket", "ocean",
    ];

    private static readonly string[] s_verbs =
    [
        "sees", "finds", "likes", "follows", "watches", "paints", "visits", "brings", "loves", "carries", "opens", "moves", "hears",
        "keeps", "catches", "leaves",
    ];

    private static readonly string[] s_places = ["near", "under", "behind", "beside", "above", "in", "on", "by"];

    private static readonly string[] s_times =
        ["today", "now", "again", "every morning", "at night", "in june", "before noon", "after school", "this week", "on friday"];

    /// <summary>The characters of all sentences.</summary>
    public static IEnumerable<string> Characters => " ,.?'-".Concat("abcdefghijklmnopqrstuvwxyz").Select(character => character.ToString());

    /// <summary>Different sentences; the same seed gives the same ones.</summary>
    public static IReadOnlyList<string> Compose(int count, int seed)
    {
        var random = new Random(seed);
        var sentences = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (sentences.Count < count)
        {
            if (Compose(random) is var sentence && seen.Add(sentence))
                sentences.Add(sentence);
        }

        return sentences;
    }

    private static string Plural(string noun) => noun switch
    {
        "child" => "children",
        "fox" => "foxes",
        _ => noun + "s",
    };

    private static string Compose(Random random)
    {
        string One(string[] words) => words[random.Next(words.Length)];
        string Thing() => $"{One(s_adjectives)} {One(s_nouns)}";
        return random.Next(6) switch
        {
            0 => $"the {Thing()} {One(s_verbs)} the {One(s_nouns)}.",
            1 => $"the {One(s_nouns)} {One(s_verbs)} a {Thing()} {One(s_times)}.",
            2 => $"{One(s_times)}, the {Thing()} is {One(s_places)} the {One(s_nouns)}.",
            3 => $"{One(s_numbers)}, {One(s_numbers)}, {One(s_numbers)}, {One(s_numbers)}.",
            4 => $"is the {One(s_nouns)} {One(s_places)} the {Thing()}?",
            _ => $"a {Thing()} has {One(s_numbers)} {Plural(One(s_nouns))} {One(s_times)}.",
        };
    }
}
