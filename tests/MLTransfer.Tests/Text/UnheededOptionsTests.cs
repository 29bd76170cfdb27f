using MLTransfer.Torch.Generation;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using Xunit;

namespace MLTransfer.Tests.Text;

public sealed class UnheededOptionsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Options_of_sampling_without_sampling_are_warned_of_once()
    {
        var warning = Assert.Single(Warnings(new() { Temperature = 0.7, TopK = 40, TopP = 0.9, MinP = 0.1, TypicalP = 0.8 }));

        Assert.Contains("Temperature, TopK, TopP, MinP, TypicalP without Sample changes nothing", warning, StringComparison.Ordinal);
        Assert.Contains("Set Sample = true", warning, StringComparison.Ordinal);
    }

    [Fact]
    public void There_is_no_warning_of_defaults_of_sampling_or_of_what_the_checkpoint_says()
    {
        Assert.Empty(Warnings(new()));
        Assert.Empty(Warnings(new() { Temperature = 0.7, TopK = 40, Sample = true }));
        File.WriteAllText(_folder["generation_config.json"], """{"temperature": 0.6, "top_p": 0.9}""");
        var published = GenerationOptions.FromPretrained(_folder.Path);
        Assert.Equal(0.6, published.Temperature);
        Assert.Empty(Warnings(published with { MaximumNewTokens = 2 }));

        Assert.Contains(
            "Generation: TopP without", Assert.Single(Warnings(published with { TopP = 0.5 })), StringComparison.Ordinal);
        Assert.Equal(new GenerationOptions { Temperature = 0.6, TopP = 0.9, StopStrings = published.StopStrings }, published);
    }

    private static List<string> Warnings(GenerationOptions options)
    {
        var ml = new MLContext(seed: 1);
        List<string> warnings = [];
        ml.Log += (_, entry) =>
        {
            if (entry.Kind == ChannelMessageKind.Warning)
                warnings.Add(entry.Message);
        };
        var data = ml.Data.LoadFromEnumerable([new { Prompt = "Once" }]);
        using var model = ml.Transforms.Text.GenerateText("Text", "Prompt", options: new() { Generation = options }).Fit(data);
        return warnings;
    }
}
