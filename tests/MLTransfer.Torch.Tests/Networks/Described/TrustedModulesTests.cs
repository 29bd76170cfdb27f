using MLTransfer.Torch.Networks.Described;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.Described;

public class TrustedModulesTests
{
    [Fact]
    public void Only_a_registered_class_is_made()
    {
        var name = TrustedModules.NameOf(typeof(Unregistered));

        var message = Assert.Throws<InvalidOperationException>(() => TrustedModules.Create(name)).Message;

        Assert.Contains(name, message, StringComparison.Ordinal);
        Assert.Contains("TrustedModules.Register<", message, StringComparison.Ordinal);
        Assert.False(Unregistered.WasMade);
    }

    [Fact]
    public void A_registered_class_is_made_anew_each_time()
    {
        TrustedModules.Register(() => new Registered(3));

        using var first = TrustedModules.Create(TrustedModules.NameOf(typeof(Registered)));
        using var second = TrustedModules.Create(TrustedModules.NameOf(typeof(Registered)));

        Assert.NotSame(first, second);
        Assert.Equal(3, Assert.IsType<Registered>(first).Size);
        TrustedModules.RegisterType(typeof(Registered)); // it has its function already
    }

    [Theory]
    [InlineData(typeof(string), "not a class that derives")]
    [InlineData(typeof(nn.Module<Tensor, Tensor>), "not a class that derives")]
    [InlineData(typeof(WithoutConstructor), "no public constructor without parameters")]
    public void Other_types_are_refused(Type type, string message) => Assert.Contains(
        message, Assert.Throws<ArgumentException>(() => TrustedModules.RegisterType(type)).Message, StringComparison.Ordinal);

    private abstract class Base(string name) : nn.Module<Tensor, Tensor>(name)
    {
        public override Tensor forward(Tensor input) => input.alias();
    }

    private sealed class Registered(int size) : Base(nameof(Registered))
    {
        public int Size => size;
    }

    private sealed class WithoutConstructor(int size) : Base($"{size}");

    private sealed class Unregistered : Base
    {
        public Unregistered() : base(nameof(Unregistered)) => WasMade = true;

        public static bool WasMade { get; private set; }
    }
}
