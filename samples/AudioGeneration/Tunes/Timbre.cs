namespace AudioGeneration.Tunes;

/// <summary>What plays a tune.</summary>
internal enum Timbre
{
    /// <summary>A pure tone.</summary>
    Sine,

    /// <summary>A plucked string, by the algorithm of Karplus and Strong.</summary>
    String,

    /// <summary>The odd harmonics of a square wave.</summary>
    Square,

    /// <summary>Steady harmonics in octaves and fifths.</summary>
    Organ,

    /// <summary>Few harmonics with vibrato and breath.</summary>
    Flute,

    /// <summary>Partials that are no harmonics and fade soon.</summary>
    Bell,
}
