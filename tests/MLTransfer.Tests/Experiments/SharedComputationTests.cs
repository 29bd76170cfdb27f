using System.Text.Json.Nodes;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Numerics.Lanes;
using MLTransfer.Torch.Training;
using Xunit;

namespace MLTransfer.Tests.Experiments;

/// <summary>Trials in processes of their own, of a network that is large enough for its number format to be measured.</summary>
public sealed class SharedComputationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Of_trials_in_processes_one_decides_what_all_compute_in()
    {
        Assert.SkipUnless(
            ProcessorFeatures.HasBFloat16Products, "This processor has no instructions for bfloat16: there is nothing to choose.");
        var tiny = RepositoryFiles.Data("gpt2-tiny");
        var configuration = JsonNode.Parse(await File.ReadAllTextAsync(
            Path.Combine(tiny, "config.json"), TestContext.Current.CancellationToken))!.AsObject();
        configuration["n_embd"] = 128;
        Directory.CreateDirectory(_folder["model"]);
        foreach (var path in Directory.EnumerateFiles(tiny).Where(path => Path.GetExtension(path) is ".json" or ".txt"))
            File.Copy(path, Path.Combine(_folder["model"], Path.GetFileName(path)));
        using (var network = TransformerNetwork.Create(configuration, seed: 1))
            network.Save(_folder["model"]);

        await RunTrials(1);
        var file = Assert.Single(Directory.EnumerateFiles(_folder["run"], "computation-*.json"));
        Assert.Contains("128-x-512", file, StringComparison.Ordinal);
        var measured = await Precisions();
        Assert.Single(measured.Distinct());

        // What the first trial found is exchanged for the other choice: the second one keeps to it all the same.
        var choice = JsonNode.Parse(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken))!;
        var other = measured[0] == nameof(Precision.BFloat16) ? Precision.Float32 : Precision.BFloat16;
        choice["Type"] = other == Precision.BFloat16 ? 15 : 6; // libtorch's numbers of the types
        await File.WriteAllTextAsync(file, choice.ToJsonString(), TestContext.Current.CancellationToken);
        await RunTrials(2);
        Assert.Contains(other.ToString(), await Precisions());
    }

    private async Task RunTrials(int count)
    {
        var (exitCode, _, errors) = await TestProcess.RunAsync(
            _folder.Path, "experiment", _folder["model"], _folder["run"], $"{count}", "-1", "-1", "1");
        Assert.True(exitCode == 0, errors);
    }

    private async Task<List<string>> Precisions()
    {
        var precisions = new List<string>();
        foreach (var file in Directory.EnumerateFiles(_folder["run"], "metrics.jsonl", SearchOption.AllDirectories))
        {
            var lines = await File.ReadAllLinesAsync(file, TestContext.Current.CancellationToken);
            precisions.Add((string)JsonNode.Parse(lines[0])!["computation"]!["Precision"]!);
        }

        return precisions;
    }
}
