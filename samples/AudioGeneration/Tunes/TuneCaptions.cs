namespace AudioGeneration.Tunes;

/// <summary>Says in words what a tune is like.</summary>
internal static class TuneCaptions
{
    /// <summary>All that there is to say, in the same order for every tune: <c>slow minor flute, three beats</c>.</summary>
    public static string Full(TuneStyle style) =>
        $"{Word(style.Tempo)} {style.Scale} {Word(style.Timbre)}, {Number(style.Beats)} beats";

    /// <summary>One of several ways to say it, of which some leave a part out.</summary>
    public static string Draw(TuneStyle style, Random random)
    {
        var (tempo, scale, timbre, beats) = (Word(style.Tempo), style.Scale.Name, Word(style.Timbre), Number(style.Beats));
        return random.Next(9) switch
        {
            0 or 1 or 2 => Full(style),
            3 => $"a {timbre} plays a {tempo} tune, {scale}, in {beats}",
            4 => $"{scale} {timbre} tune with {beats} beats in a bar, {tempo}",
            5 => $"{timbre}, {scale}, {tempo}, {beats} beats",
            6 => $"{tempo} {scale} tune on a {timbre} in {beats}",
            7 => $"{tempo} {scale} {timbre}",
            _ => $"a {scale} tune on a {timbre}, {beats} beats",
        };
    }

    private static string Word(Tempo tempo) => tempo switch
    {
        Tempo.Slow => "slow",
        Tempo.Moderate => "moderate",
        _ => "fast",
    };

    private static string Word(Timbre timbre) => timbre switch
    {
        Timbre.Sine => "sine",
        Timbre.String => "string",
        Timbre.Square => "square",
        Timbre.Organ => "organ",
        Timbre.Flute => "flute",
        _ => "bell",
    };

    private static string Number(int beats) => beats == 3 ? "three" : "four";
}
