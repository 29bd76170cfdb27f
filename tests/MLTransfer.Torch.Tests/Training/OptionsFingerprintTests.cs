using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Adversarial;
using MLTransfer.Torch.Training.Audio;
using MLTransfer.Torch.Training.Described;
using MLTransfer.Torch.Training.Images;
using MLTransfer.Torch.Training.Language;
using MLTransfer.Torch.Training.Optimizers;
using MLTransfer.Torch.Training.Preferences;
using Xunit;

namespace MLTransfer.Torch.Tests.Training;

/// <summary>
/// What options make of the fingerprint that a saved run is known by: new options, where they are off, may not change it, or runs that were
/// saved before do not go on.
/// </summary>
public class OptionsFingerprintTests
{
    public static TheoryData<TrainingOptions, string> Defaults => new()
    {
        { new AdversarialTrainingOptions(), "f1bf6356b0328ae9d500207ccecc897b76d68d6e282a4a91297aabb3e1fa55cd" },
        { new DiscreteVaeTrainingOptions(), "540c2afa78f95a09d6826eda2f7c5df904f63a05197560f45a6a1e60babe344c" },
        { new EnCodecTrainingOptions(), "f17377cda44e3099536ed851ac2877827ebf5dd07ed8b2869d45d83aa21e901a" },
        { new LanguageTrainingOptions(), "7c435aea6b9321621644b02fcbbb0800d5a4dfa51268a5ce4950d2d69009230f" },
        { new ModuleTrainingOptions(), "3b8403ed62f3bdacbbf795d573bbc6fe26ee3f0cce8834469248b1e443888d64" },
        { new MusicTrainingOptions(), "9e4a13cc5886f9cb12f02bc450702a0347d7a12c5c3b3577110792c86a9794d2" },
        { new PreferenceTrainingOptions(), "9ae6ef1839ad436aa10b325bfcfb509cc668b09d2c23a49945e8ac94d959d649" },
        { new SpeechTrainingOptions(), "aded07c436c4620f0d1e6603267d6f04777940877f89e61a2ae3fc8d17e6b95b" },
        { new TextToImageTrainingOptions(), "167b600d655059d89aa4f74cdb9e26bdc03bc5da792429618226452a4d13c382" },
    };

    [Theory]
    [MemberData(nameof(Defaults))]
    public void Defaults_have_the_fingerprint_that_saved_runs_have(TrainingOptions options, string expected)
    {
        using var fingerprint = new RunFingerprint(options);
        Assert.Equal(expected, fingerprint.Value);
    }

    [Fact]
    public void An_option_of_an_optimizer_is_part_of_the_fingerprint()
    {
        var options = new LanguageTrainingOptions { Optimizer = OptimizerAlgorithm.Lion, OptimizerOptions = new LionOptions() };
        using var one = new RunFingerprint(options);
        using var other = new RunFingerprint(options with { OptimizerOptions = new LionOptions { Beta2 = 0.98 } });
        Assert.NotEqual(one.Value, other.Value);
    }
}
