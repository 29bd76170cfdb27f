using MLTransfer.Torch.Networks.Vits;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Torch.Training.Audio;

/// <summary>The rows of a run, checked.</summary>
internal sealed class SpeechRows
{
    /// <exception cref="ArgumentException">A row is not usable; the message says which and why.</exception>
    public SpeechRows(
        VitsModel model, SpeechTokenizer tokenizer, SpeechTrainingOptions options, SpeechSpectra spectra,
        IReadOnlyList<SpeechExample> training, IReadOnlyList<SpeechExample>? validation)
    {
        Training = Read("Training", training);
        Validation = Read("Validation", validation ?? []);
        if (Training.Count == 0)
            throw new ArgumentException("There is no row to train on.", nameof(training));
        var count = Training.Count;
        var lengths = Training.Select(row => row.Frames).ToList();
        var stepRows = (int)Math.Min(count, (long)options.BatchSize * options.GradientAccumulationSteps);
        Schedule = RowSchedule.Of(options, count, epoch => !options.Shuffle
            ? [.. Enumerable.Range(0, count)]
            : options.GroupByLength ? RowOrder.GroupedByLength(lengths, stepRows, options.Seed, epoch)
            : RowOrder.Shuffled(count, options.Seed, epoch));

        List<SpeechRow> Read(string kind, IReadOnlyList<SpeechExample> examples) =>
            [.. examples.Select((example, index) => ReadRow(model, tokenizer, spectra, example, $"{kind} row {index}"))];
    }

    public IReadOnlyList<SpeechRow> Training { get; }

    public IReadOnlyList<SpeechRow> Validation { get; }

    public RowSchedule Schedule { get; }

    public void AddTo(RunFingerprint fingerprint)
    {
        foreach (var row in Training.Concat(Validation))
        {
            fingerprint.AddNumbers<int>(row.Ids);
            fingerprint.AddNumbers<float>(row.Samples);
            fingerprint.AddNumber(row.Speaker ?? -1);
        }

        fingerprint.AddNumber(Validation.Count);
    }

    private static SpeechRow ReadRow(VitsModel model, SpeechTokenizer tokenizer, SpeechSpectra spectra, SpeechExample example, string name)
    {
        if (example?.Text is null || example.Sound is null)
            throw new ArgumentException($"{name} has no text or no sound.");
        var sound = example.Sound;
        if (sound.SampleRate != model.SampleRate || sound.Channels != 1)
        {
            throw new ArgumentException(
                $"{name} has a sound of {sound.SampleRate} samples a second and {sound.Channels} channels; the network speaks "
                + $"{model.SampleRate} in one channel. Resample it and mix its channels.");
        }

        if (sound.Frames < spectra.FewestSamples)
            throw new ArgumentException(
                $"{name} has a sound of {sound.Frames} samples; the network needs {spectra.FewestSamples} at least.");
        foreach (var (index, sample) in sound.Samples.ToArray().Index())
        {
            if (!float.IsFinite(sample))
                throw new ArgumentException($"{name} has a sound whose sample {index} is {sample}; expected a number.");
        }

        var ids = tokenizer.Encode(example.Text, example.TextIsPhonemes);
        if (ids.Length == 0)
            throw new ArgumentException($"{name} has the text '{example.Text}', of which the network knows no character.");
        var frames = spectra.Frames(sound.Frames);
        if (frames < ids.Length)
        {
            throw new ArgumentException(
                $"{name} has a text of {ids.Length} tokens, blanks included, and a sound of {frames} frames; every token needs one. "
                + "The text is not what is said, or the sound is cut off.");
        }

        var speaker = model.SpeakerCount == 1 && example.Speaker is null or 0 ? null : example.Speaker;
        if (model.SpeakerCount > 1 && speaker is null)
            throw new ArgumentException($"{name} has no speaker; the network has {model.SpeakerCount} of them, from 0.");
        if (speaker >= model.SpeakerCount || speaker < 0)
        {
            throw new ArgumentException(
                $"{name} has speaker {speaker}; the network has {model.SpeakerCount}, from 0. Give it more "
                + $"({nameof(VitsModel)}.{nameof(VitsModel.WithSpeakers)}).");
        }

        return new SpeechRow(ids, sound.Samples.ToArray(), frames, speaker);
    }
}
