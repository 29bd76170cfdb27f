using MLTransfer.Torch.Training.Audio;

namespace MakeVoiceModel;

/// <summary>Sentences of several voices, each its own.</summary>
internal static class VoiceSet
{
    /// <summary>The voices of the model, women's and men's of two accents, by speaker. Others are left for it to learn.</summary>
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
    public static void Write(string voice, int count, int seed, string folder)
    {
        Directory.CreateDirectory(folder);
        var texts = Sentences.Compose(count, seed);
        foreach (var (i, text) in texts.Index())
            Espeak.Speak(voice, text, Path.Combine(folder, $"{i:D2}.wav"));
        File.WriteAllLines(Path.Combine(folder, "texts.txt"), texts);
    }
}
