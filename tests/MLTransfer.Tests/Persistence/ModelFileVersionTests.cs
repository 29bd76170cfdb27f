using System.Reflection;
using Xunit;

namespace MLTransfer.Tests.Persistence;

public class ModelFileVersionTests
{
    [Fact]
    public void Internal_type_of_the_ML_NET_core_is_usable_at_run_time()
    {
        object version = Assembly.Load("MLTransfer")
            .GetType("MLTransfer.Persistence.ModelFileVersion", throwOnError: true)!
            .GetMethod("Create", BindingFlags.Public | BindingFlags.Static)!
            .Invoke(null, ["TEXTGEN ", "TextGenerator"])!;

        Assert.Equal("TextGenerator", version.GetType().GetField("LoaderSignature")!.GetValue(version));
    }
}
