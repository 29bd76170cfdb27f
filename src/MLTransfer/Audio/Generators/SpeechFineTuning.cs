using System.Globalization;
using MLTransfer.Logging;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Training.Audio;
using Microsoft.ML.Runtime;

namespace MLTransfer.Audio.Generators;

/// <summary>Trains a VITS, with a voice for each new speaker.</summary>
internal sealed class SpeechFineTuning : AudioFineTuning
{
    /// <summary>The most voices of a network that gets new ones.</summary>
    private const int MostSpeakers = 1 << 16;

    private readonly SpeechTrainingOptions _training;

    public SpeechFineTuning(AudioBaseModel start, AudioGeneratorOptions options, long seed, IChannel channel)
        : base(start, options, seed, channel)
    {
        var training = OptionCheck.TrainingOf<SpeechTrainingOptions>(options.Training, $"the VITS '{start.Name}'");
        _training = training with { Seed = seed, SampleSpeech = training.SampleSpeech ?? options.Speech };
    }

    private SpeechGenerationModel Speech => (SpeechGenerationModel)Model;

    private bool TextsArePhonemes => Options.PhonemeColumnName is not null || Options.Speech?.TextsArePhonemes == true;

    protected override SpeechTrainingResult Train(AudioTrainingReader training, AudioTrainingReader? validation)
    {
        var stop = Options.CancellationToken;
        List<AudioTrainingReader.Row> rows = [.. training.Read(stop)];
        var heldOut = HeldOut(rows.Count);
        var report = Count(rows);
        List<AudioTrainingReader.Row> held = validation is null ? rows[^heldOut..] : [.. validation.Read(stop)];
        Channel.Info($"Training data: {report}.");
        AddCharacters();
        WarnOfCharacters(rows);
        AddSpeakers(rows.Concat(held));
        AttachAdapters();

        var options = TrainingObserver.Place(_training);
        var trainer = new SpeechTrainer(
            Speech.Network, Speech.Tokenizer, options, [.. rows[..^heldOut].Select(ToExample)], [.. held.Select(ToExample)]);
        Channel.Info(string.Create(CultureInfo.InvariantCulture,
            $"Fine-tuning the VITS '{Name}' on {rows.Count - heldOut} sounds, {held.Count} for evaluation, in "
            + $"{Speech.Network.SpeakerCount} voice(s). Memory: {trainer.EstimateMemory()}."));
        var computation = TrainingComputation.Of(options);
        ComputationLog.Tell(Channel, computation);
        var log = new AudioTrainingLog<SpeechProgress>(Channel, Options.Progress, Describe);
        var result = trainer.Train(log, stop, Options.StopAndKeep);
        log.Finished(result);
        Model.Card = CreateCard(
            report,
            [
                ("mel loss of the last step", result.History.LastOrDefault(step => step.MelLoss is not null)?.MelLoss),
                ("validation mel loss before", result.InitialValidationMelLoss), ("validation mel loss", result.ValidationMelLoss),
                ("steps", result.Steps),
            ],
            computation.Fix(_training), Options.Lora);
        if (Options.Lora is not null)
            LowRankAdaptation.Merge(Speech.Network);
        return result;
    }

    private SpeechExample ToExample(AudioTrainingReader.Row row) => new(
        row.Text!, row.Sound, row.Speaker is { } speaker ? Speech.FindSpeaker(speaker) : null) { TextIsPhonemes = TextsArePhonemes };

    /// <summary>Gives tokenizer and network the characters that the options name and the tokenizer lacks.</summary>
    private void AddCharacters()
    {
        if (Options.AddCharacters is not { } wanted)
            return;
        var (network, tokenizer) = (Speech.Network, Speech.Tokenizer);
        string[] missing = [.. wanted.Distinct().Where(character => !tokenizer.Vocabulary.Ids.ContainsKey(character))];
        if (missing.Length == 0)
            return;
        var further = tokenizer.WithCharacters(missing, Math.Max(tokenizer.VocabularySize, network.VocabularySize));
        Replace(new SpeechGenerationModel(network.WithVocabulary(further.VocabularySize), further, Speech.Speakers));
    }

    private void WarnOfCharacters(IEnumerable<AudioTrainingReader.Row> rows)
    {
        if (Speech.Tokenizer.ReadsPhonemes || Speech.Tokenizer.ReadsRomanized)
            return;
        string[] unknown =
        [
            .. Speech.Tokenizer.UnknownCharacters(rows.Select(row => row.Text!)).Where(character => char.IsLetter(character, 0)),
        ];
        if (unknown.Length > 0)
        {
            Channel.Warning(
                $"The texts have letters that the VITS does not know, which are left out: {string.Join(" ", unknown)}. Add them by "
                + $"{nameof(Options.AddCharacters)}.");
        }
    }

    /// <summary>Gives the network voices for speakers that it does not know.</summary>
    private void AddSpeakers(IEnumerable<AudioTrainingReader.Row> rows)
    {
        var speakers = Speech.Speakers.ToDictionary(StringComparer.Ordinal);
        var count = Speech.Network.SpeakerCount;
        string[] found = [.. rows.Select(row => row.Speaker).OfType<string>().Distinct().Order(StringComparer.Ordinal)];
        foreach (var speaker in found.Where(speaker => !speakers.ContainsKey(speaker)))
        {
            if (long.TryParse(speaker, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                count = (int)Math.Max(count, Math.Min(number, MostSpeakers) + 1);
        }

        foreach (var name in found.Where(speaker => !speakers.ContainsKey(speaker) && !IsNumber(speaker)))
            speakers.Add(name, count++);
        if (count > MostSpeakers)
        {
            throw new ArgumentException(
                $"The column '{Options.SpeakerColumnName}' has speakers up to number {count - 1}; a network has at most {MostSpeakers}. "
                + "Number them from 0, or name them.");
        }

        if (found.FirstOrDefault(speaker => speaker.StartsWith('-') && IsNumber(speaker)) is { } negative)
            throw new ArgumentException($"The column '{Options.SpeakerColumnName}' has the speaker {negative}; speakers count from 0.");
        if (count == Speech.Network.SpeakerCount)
            return;
        Channel.Info($"The VITS gets {count - Speech.Network.SpeakerCount} new voice(s): {count} in all.");
        var like = Options.NewSpeakersLike is { } known ? Speech.FindSpeaker(known) : null;
        Replace(new SpeechGenerationModel(Speech.Network.WithSpeakers(count, Seed, like), Speech.Tokenizer, speakers));

        static bool IsNumber(string speaker) => long.TryParse(speaker, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _);
    }

    private void AttachAdapters()
    {
        if (Options.Lora is not { } lora)
            return;
        if (Options.AddCharacters is { } characters)
        {
            var ids = characters.Distinct().Select(character => Speech.Tokenizer.Vocabulary.Ids[character]);
            lora = lora with { TrainedTokens = [.. lora.TrainedTokens.Union(ids)] };
        }

        LowRankAdaptation.Attach(Speech.Network, lora, Seed);
    }

    private void Replace(SpeechGenerationModel model)
    {
        model.Card = Model.Card;
        Model.Dispose();
        Model = model;
    }

    private static IEnumerable<string> Describe(SpeechProgress value, bool isDue)
    {
        if (value.MelLoss is { } loss && isDue)
        {
            yield return string.Create(CultureInfo.InvariantCulture,
                $"Step {value.Step} of {value.TotalSteps}, epoch {value.Epoch:0.00}: mel loss {loss:0.000}, divergence "
                + $"{value.DivergenceLoss:0.000}, durations {value.DurationLoss:0.000}, discriminator {value.DiscriminatorLoss:0.000}, "
                + $"{value.SoundSecondsPerSecond:0.00} times real time, {value.Remaining:hh\\:mm\\:ss} left.");
        }

        if (value.ValidationMelLoss is { } validation)
            yield return string.Create(CultureInfo.InvariantCulture, $"Step {value.Step}: validation mel loss {validation:0.000}.");
    }
}
