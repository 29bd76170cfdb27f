using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.TrainingProcess;

/// <summary>
/// Uses TorchSharp before anything of the library, where the environment asks for it: a method that uses both has the library's initializer
/// run before it begins.
/// </summary>
internal static class LibtorchFirst
{
#pragma warning disable CA2255 // The program has no earlier place.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Use()
    {
        if (Environment.GetEnvironmentVariable("TEST_LIBTORCH_FIRST") is not null)
            set_num_threads(1);
    }
}
