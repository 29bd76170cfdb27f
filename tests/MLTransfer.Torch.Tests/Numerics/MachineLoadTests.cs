using MLTransfer.Torch.Numerics;
using Xunit;

namespace MLTransfer.Torch.Tests.Numerics;

public sealed class MachineLoadTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("some avg10=86.96 avg60=86.72 avg300=58.79 total=46258587346\nfull avg10=0.00", "0.10 24.61 11.87 7/177 17927", true)]
    [InlineData("some avg10=12.00 avg60=86.72 avg300=58.79 total=46258587346\nfull avg10=0.00", "9999 24.61 11.87 7/177 17927", false)]
    [InlineData(null, "9999.5 24.61 11.87 7/177 17927", true)] // kernels that do not count what waits
    [InlineData(null, "0.5 24.61 11.87 7/177 17927", false)]
    [InlineData(null, null, false)]
    public void A_busy_machine_is_told_of(string? pressure, string? load, bool isBusy)
    {
        Directory.CreateDirectory(_folder["proc/pressure"]);
        if (pressure is not null)
            File.WriteAllText(_folder["proc/pressure/cpu"], pressure);
        if (load is not null)
            File.WriteAllText(_folder["proc/loadavg"], load);

        var warning = MachineLoad.Read(_folder.Path).Warning(1);

        Assert.Equal(isBusy, warning?.Contains("The machine is busy", StringComparison.Ordinal) ?? false);
    }

    [Fact]
    public void More_threads_than_processors_are_told_of() =>
        Assert.StartsWith("8 threads compute on 2 processors", new MachineLoad(2, 0, 0).Warning(8), StringComparison.Ordinal);
}
