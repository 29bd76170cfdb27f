using System.Runtime.InteropServices;
using Xunit;

namespace MLTransfer.Mpi.Tests;

/// <summary>The same Fit on two ranks: of six steps of eight rows, every second one shorter.</summary>
public sealed class SharedFitTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Launchers => Launcher.All;

    private static string Base => RepositoryFiles.Data("gpt2-tiny");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Launchers))]
    public async Task Two_ranks_end_with_the_weights_of_one_process_and_rank_0_alone_writes(string launcher)
    {
        (await Launcher.RunAloneAsync("alone", _folder["alone"], Base)).AssertSuccess();
        (await Launcher.RunAsync(launcher, "train", _folder["shared"], Base)).AssertSuccess();

        Assert.Equal(Weights("shared/model-0"), Weights("shared/model-1"));
        var (alone, shared) = (Numbers("alone/model-0"), Numbers("shared/model-0"));
        Assert.Equal(alone.Length, shared.Length);
        Assert.InRange(alone.Zip(shared).Max(pair => Math.Abs(pair.First - pair.Second)), 0, 1e-5);
        Assert.True(alone.Zip(Numbers("alone/run-0/checkpoint-2")).Max(pair => Math.Abs(pair.First - pair.Second)) > 1e-3);
        Assert.True(Directory.Exists(_folder["shared/run-0/checkpoint-6"]));
        Assert.False(Directory.Exists(_folder["shared/run-1"]));
    }

    [Theory]
    [InlineData("mpirun.openmpi", "killed", null)]
    [InlineData("mpirun.mpich", "caught", 1)]
    [InlineData("mpirun.openmpi", "cancelled", 143)]
    public async Task A_run_that_rank_1_ended_goes_on_with_the_same_bits(string launcher, string how, int? exitCode)
    {
        (await Launcher.RunAsync(launcher, "train", _folder["whole"], Base, "dropout")).AssertSuccess();
        var ended = await Launcher.RunAsync(launcher, "train", _folder["ended"], Base, "dropout", how);
        Assert.True(exitCode is null ? ended.ExitCode != 0 : ended.ExitCode == exitCode, $"{ended}");
        Assert.True(Directory.Exists(_folder["ended/run-0/checkpoint-2"]));
        Assert.False(Directory.Exists(_folder["ended/run-0/checkpoint-4"]));

        (await Launcher.RunAsync(launcher, "train", _folder["ended"], Base, "dropout", "resume")).AssertSuccess();
        Assert.Equal(Weights("whole/model-0"), Weights("ended/model-0"));
        Assert.Equal(Weights("whole/model-0"), Weights("ended/model-1"));
    }

    private byte[] Weights(string model) => File.ReadAllBytes(_folder[$"{model}/model.safetensors"]);

    /// <summary>The float32 values of a safetensors file, which come after a header of a length that stands before it.</summary>
    private float[] Numbers(string model)
    {
        var bytes = Weights(model);
        return MemoryMarshal.Cast<byte, float>(bytes.AsSpan(8 + (int)BitConverter.ToInt64(bytes))).ToArray();
    }
}
