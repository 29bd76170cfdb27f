using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.Vits;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training.Audio;
using Xunit;

namespace MLTransfer.Models.Tests;

public class VoiceLearningTests
{
    private const int HeldOut = 4;

    /// <summary>The sample takes 360 steps of 8 sentences; a few are enough to hear that its recordings can be learned.</summary>
    [Fact]
    public void Few_steps_bring_the_model_a_fifth_nearer_to_a_new_voice_than_its_nearest()
    {
        var tokenizer = SpeechTokenizer.Load(VoiceModel.Folder);
        using var known = VitsModel.Load(VoiceModel.Folder);
        var (texts, sounds) = NewVoice.Read(20 + HeldOut);
        var before = Enumerable.Range(0, known.SpeakerCount).Select(voice => Distance(known, voice)).ToList();
        var nearest = before.IndexOf(before.Min());

        using var model = known.WithSpeakers(known.SpeakerCount + 1, like: nearest);
        var speaker = known.SpeakerCount;
        new SpeechTrainer(
            model, tokenizer,
            new SpeechTrainingOptions
            {
                MaximumSteps = 30, BatchSize = 4, SegmentSize = 4096, LearningRate = 8e-4, FirstAdversarialStep = 30, Seed = 1,
            },
            [.. texts.Zip(sounds, (text, sound) => new SpeechExample(text, sound, speaker)).Skip(HeldOut)])
            .Train(cancellationToken: TestContext.Current.CancellationToken);
        Assert.InRange(Distance(model, speaker), 10, 0.8 * before[nearest]);

        double Distance(VitsModel network, int voice)
        {
            var spoken = new SpeechGenerator(network, tokenizer).Generate(
                [.. texts.Take(HeldOut).Select(text => new SpeechRequest(text) { Speaker = voice })], new SpeechOptions { Seed = 1 },
                TestContext.Current.CancellationToken);
            return sounds.Zip(spoken, NewVoice.Distance).Average();
        }
    }
}
