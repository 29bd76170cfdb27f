using MLTransfer.Torch.Training.Audio;

namespace MakeVoiceModel;

/// <summary>Sentences of several voices, each its own.</summary>
internal static class VoiceSet
{
    /// <summary>
    /// The voices of the model by speaker, men's and a woman's of two accents; others are left for it to learn. The variants of en-gb are
    /// en-gb itself: espeak-ng 1.51 leaves them out without a word, so that the model has four voices that differ.
    /// </summary>
    public static readonly IReadOnlyList<string> Voices = ["en-us", "en-us+f2", "en-gb", "en-gb+f4", "en-us+m3", "en-gb+f3"];

    /// <summary>Speaks sentences of all voices.</summary>
    /// <param name="each">Sentences of a voice.</param>
    /// <param name="seed">Decides on the sentences.</param>
    /// <param name="folder">Where sounds are kept.</param>
    public static IReadOnlyList<SpeechExample> Speak(int each, int seed, string folder)
    {
        Directory.CreateDirectory(folder);
        return
        [
            .. Voices.SelectMany((voice, speaker) => Sentences.Compose(each, seed + speaker).Select((text, i) =>
                (Speaker: speaker, Voice: voice, Text: text, File: Path.Combine(folder, $"{voice}-{seed}-{i:D4}.wav"))))
                .AsParallel().AsOrdered().WithDegreeOfParallelism(2)
                .Select(row => new SpeechExample(row.Text, Espeak.Speak(row.Voice, row.Text, row.File), row.Speaker)),
        ];
    }

    /// <summary>Speaks sentences of a voice into a folder, with <c>texts.txt</c>: a line a sound.</summary>
    /// <exception cref="InvalidOperationException">The program leaves out the variant that is asked for.</exception>
    public static void Write(string voice, int count, int seed, string folder)
    {
        Directory.CreateDirectory(folder);
        var texts = Sentences.Compose(count, seed);
        CheckVariant(voice, texts[0], folder);
        foreach (var (i, text) in texts.Index())
            Espeak.Speak(voice, text, Path.Combine(folder, $"{i:D2}.wav"));
        File.WriteAllLines(Path.Combine(folder, "texts.txt"), texts);
    }

    private static void CheckVariant(string voice, string text, string folder)
    {
        if (voice.Split('+') is not [var language, _])
            return;
        string[] files = [Path.Combine(folder, "variant.wav"), Path.Combine(folder, "language.wav")];
        var (variant, plain) = (Espeak.Speak(voice, text, files[0]), Espeak.Speak(language, text, files[1]));
        Array.ForEach(files, File.Delete);
        if (variant.Samples.SequenceEqual(plain.Samples))
            throw new InvalidOperationException($"espeak-ng speaks '{voice}' as '{language}', without the variant. Name another voice.");
    }
}
