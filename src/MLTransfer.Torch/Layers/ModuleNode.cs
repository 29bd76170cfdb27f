using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Layers;

/// <summary>A module that is there for the names of what is in it.</summary>
internal sealed class ModuleNode() : nn.Module(nameof(ModuleNode))
{
    /// <summary>Puts a module where a path such as <c>transformer.h.0.mlp</c> says, below <paramref name="root"/>.</summary>
    public static void Add(nn.Module root, string path, nn.Module module)
    {
        var (parent, name) = Parent(root, path);
        parent.register_module(name, module);
    }

    /// <summary>Puts a parameter where a path says.</summary>
    public static void Add(nn.Module root, string path, Parameter parameter)
    {
        var (parent, name) = Parent(root, path);
        parent.register_parameter(name, parameter);
    }

    /// <summary>Puts a tensor that is no parameter where a path says.</summary>
    public static void AddBuffer(nn.Module root, string path, Tensor buffer)
    {
        var (parent, name) = Parent(root, path);
        parent.register_buffer(name, buffer);
    }

    protected override void RegisterComponents()
    {
        // There are no fields.
    }

    private static (nn.Module Parent, string Name) Parent(nn.Module root, string path)
    {
        var parts = path.Split('.');
        var module = root;
        foreach (var part in parts[..^1])
        {
            var child = module.named_children().FirstOrDefault(c => c.name == part).module;
            if (child is null)
                module.register_module(part, child = new ModuleNode());
            module = child;
        }

        return (module, parts[^1]);
    }
}
