namespace MLTransfer.Torch.Generation;

/// <summary>How texts are spoken. What is null is as the network's <c>config.json</c> says.</summary>
public sealed record SpeechOptions
{
    /// <summary>The voice, from 0; null for voice 0 of a network of several, and for the one of a network that has one.</summary>
    public int? Speaker { get; init; }

    /// <summary>Above 1 is faster (<c>speaking_rate</c>).</summary>
    public double? SpeakingRate { get; init; }

    /// <summary>How far the sound is drawn from what is likeliest (<c>noise_scale</c>); 0 makes the same sound every time.</summary>
    public double? NoiseScale { get; init; }

    /// <summary>How far durations are drawn from what is likeliest, where they are stochastic (<c>noise_scale_duration</c>).</summary>
    public double? DurationNoiseScale { get; init; }

    /// <summary>
    /// Decides what is drawn; null for a new seed with each call. Every text draws from a stream of its own, made from the seed, its
    /// characters and its speaker, so a sound does not depend on which other texts there are.
    /// </summary>
    public long? Seed { get; init; }

    /// <summary>Whether texts are phonemes already, where the network reads those.</summary>
    public bool TextsArePhonemes { get; init; }

    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    internal void Check()
    {
        if (Speaker < 0)
            throw new ArgumentOutOfRangeException(nameof(Speaker), Speaker, $"{nameof(Speaker)} must be 0 or more.");
        if (!(SpeakingRate is null or (> 0 and < double.PositiveInfinity)))
            throw new ArgumentOutOfRangeException(nameof(SpeakingRate), SpeakingRate, $"{nameof(SpeakingRate)} must be a positive number.");
        CheckNoise(nameof(NoiseScale), NoiseScale);
        CheckNoise(nameof(DurationNoiseScale), DurationNoiseScale);

        static void CheckNoise(string name, double? scale)
        {
            if (!(scale is null or (>= 0 and < double.PositiveInfinity)))
                throw new ArgumentOutOfRangeException(name, scale, $"{name} must be a number of 0 or more.");
        }
    }
}
