using System.Collections.Concurrent;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Described;

/// <summary>What a model file may make this process run, beyond the layers of this library.</summary>
/// <remarks>
/// A model file that was trained on a class of the user's own holds that class's name, and one that was trained on TorchScript holds a
/// program. Neither is made or run because a file says so: the application allows it here before it loads the file.
/// </remarks>
public static class TrustedModules
{
    private static readonly ConcurrentDictionary<string, Func<nn.Module<Tensor, Tensor>>> s_factories = new();

    /// <summary>
    /// Whether TorchScript programs in model files may be loaded and run. Allow it for files from sources that you trust.
    /// </summary>
    public static bool AllowTorchScript { get; set; }

    /// <summary>Lets model files name a class of modules, which its constructor without parameters makes.</summary>
    public static void Register<TModule>()
        where TModule : nn.Module<Tensor, Tensor>, new() => s_factories[NameOf(typeof(TModule))] = static () => new TModule();

    /// <summary>Lets model files name a class of modules, which a function makes.</summary>
    /// <param name="create">Makes a new module of the same structure each time.</param>
    public static void Register<TModule>(Func<TModule> create)
        where TModule : nn.Module<Tensor, Tensor>
    {
        ArgumentNullException.ThrowIfNull(create);
        s_factories[NameOf(typeof(TModule))] = create;
    }

    /// <summary>Registers a class by type, unless it is registered already.</summary>
    /// <exception cref="ArgumentException">The type is no usable class of modules.</exception>
    internal static void RegisterType(Type type)
    {
        if (!type.IsSubclassOf(typeof(nn.Module<Tensor, Tensor>)) || type.IsAbstract || type.ContainsGenericParameters)
            throw new ArgumentException(
                $"The type '{type.FullName}' is not a class that derives from torch.nn.Module<Tensor, Tensor>.", nameof(type));
        if (s_factories.ContainsKey(NameOf(type)))
            return;
        var constructor = type.GetConstructor([]) ?? throw new ArgumentException(
            $"The type '{type.FullName}' has no public constructor without parameters. Call {nameof(TrustedModules)}.{nameof(Register)} "
                + "with a "
            + "function that makes it.", nameof(type));
        s_factories.TryAdd(NameOf(type), () => (nn.Module<Tensor, Tensor>)constructor.Invoke(null));
    }

    /// <summary>Makes a module of a registered class. No assembly is loaded and no type looked up by the name.</summary>
    /// <exception cref="InvalidOperationException">The class is not registered.</exception>
    internal static nn.Module<Tensor, Tensor> Create(string name) => s_factories.TryGetValue(name, out var create)
        ? create()
        : throw new InvalidOperationException(
            $"The model file needs the class '{name}', which this program has not allowed. If you trust the file, call "
            + $"{nameof(TrustedModules)}.{nameof(Register)}<{name.Split(',')[0]}>() before loading it.");

    /// <summary>The name that model files have for a class: with its assembly, but without the version.</summary>
    internal static string NameOf(Type type) => $"{type.FullName}, {type.Assembly.GetName().Name}";
}
