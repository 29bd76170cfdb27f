using Xunit;
using static TorchSharp.torch;

[assembly: AssemblyFixture(typeof(OneTorchThread))]

namespace MLTransfer.Tests.Shared;

/// <summary>
/// The tests' models are so small that threads spend their time waiting for each other, all the more as tests run side by side.
/// </summary>
public sealed class OneTorchThread
{
    public OneTorchThread() => set_num_threads(1);
}
